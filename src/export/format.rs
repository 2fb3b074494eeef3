//! The exposition formats.

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus's text format 0.0.4, which all versions of Prometheus accept.
    Text,
    /// Prometheus's text format 1.0.0, which Prometheus 3 accepts. It differs from 0.0.4 in that
    /// names may be any UTF-8, if the [escaping](crate::snapshot::Escaping) allows it.
    TextV1,
    /// OpenMetrics 1.0.0, with units and exemplars, and with creation timestamps if
    /// [enabled](crate::export::Export::created_timestamps).
    OpenMetrics,
    /// Prometheus's delimited protobuf format, with native histograms and exemplars, and with
    /// creation timestamps unless [disabled](crate::export::Export::created_timestamps). A family of more than about 28 KiB is split into several messages. Prometheus
    /// merges them; other parsers that expect one message per name must do the same.
    Protobuf,
    /// JSON, for programs.
    Json,
}

impl Format {
    /// Returns the name of the format, which is the value of the label `format` of
    /// `tachometer_scrapes_total`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::TextV1 => "text_v1",
            Self::OpenMetrics => "openmetrics",
            Self::Protobuf => "protobuf",
            Self::Json => "json",
        }
    }

    /// Returns the `Content-Type` of the format, without the escaping scheme.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::TextV1 => "text/plain; version=1.0.0; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; \
                 proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
            Self::Json => "application/json",
        }
    }
}
