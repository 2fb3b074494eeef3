//! The formats that a registry can be served in.

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus's text format 0.0.4, which every version of it reads.
    Text,
    /// Prometheus's text format 1.0.0, which Prometheus 3 reads: the same, and any
    /// UTF-8 in names where the [escaping](crate::snapshot::Escaping) allows it.
    TextV1,
    /// `OpenMetrics` 1.0.0: with units and exemplars, and with the times since when
    /// series count where these are [asked for](crate::export::Export::created).
    OpenMetrics,
    /// Prometheus's protobuf format, delimited: with native histograms, exemplars and
    /// creation times. A family of more than some 28 KiB is told in several messages,
    /// which Prometheus reads as one; a reader that keeps one message a name must put
    /// them together.
    Protobuf,
    /// JSON, for programs.
    Json,
}

impl Format {
    /// Returns the format's name as the label `format` of
    /// `tachometer_scrapes_total` has it.
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

    /// Returns the exact content type that a reader of this format expects, without
    /// the escaping scheme.
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
