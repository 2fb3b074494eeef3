//! Content negotiation: the format of a response, by the client's `Accept`.
//!
//! The rules are those of Prometheus's client libraries. Prometheus fails a scrape that it
//! cannot parse, so unknown media types are ignored, no request is refused, and the default is
//! the format that every version of Prometheus reads.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

use crate::export::Format;
use crate::router::scrape::accept_header::{Preference, preferences};
use crate::snapshot::Escaping;

/// The format of a response, with the parameters of its `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseFormat {
    pub(crate) format: Format,
    pub(crate) escaping: Escaping,
    /// Whether `Content-Type` names the escaping scheme. It does if the client asked for one.
    echo_escaping: bool,
    /// Whether the client asked for OpenMetrics 0.0.1, or for no version, which Prometheus's
    /// client libraries treat as 0.0.1.
    is_openmetrics_0_0_1: bool,
}

impl ResponseFormat {
    /// Returns a format with its default parameters.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            escaping: Escaping::default(),
            echo_escaping: false,
            is_openmetrics_0_0_1: false,
        }
    }

    /// Returns the supported format that the client prefers.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Self {
        let preferences = preferences(headers, &ACCEPT);
        let mut accepted = preferences.iter().filter(|one| one.weight > 0);
        let best = accepted.find_map(|one| Some((one, supported_format(one)?)));
        let Some((best, format)) = best else {
            return Self::new(Format::Text);
        };
        // JSON only if the client prefers it to all text formats. A client that also accepts
        // anything (`*/*`) is most likely a Prometheus behind a proxy.
        let is_equal_text = |one: &Preference| {
            one.weight == best.weight
                && supported_format(one).is_some_and(|format| format != Format::Json)
        };
        if format == Format::Json && preferences.iter().any(is_equal_text) {
            return Self::new(Format::Text);
        }
        let requested = best.param("escaping").and_then(Escaping::from_name);
        Self {
            format,
            escaping: requested.unwrap_or_default(),
            echo_escaping: format != Format::Json
                && (requested.is_some() || format == Format::TextV1),
            is_openmetrics_0_0_1: best.param("version") != Some("1.0.0"),
        }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        let mut text = match self.format {
            Format::OpenMetrics if self.is_openmetrics_0_0_1 => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
            format => format.content_type(),
        }
        .to_owned();
        if self.echo_escaping {
            text.push_str("; escaping=");
            text.push_str(self.escaping.as_str());
        }
        let default = HeaderValue::from_static(self.format.content_type());
        HeaderValue::from_str(&text).unwrap_or(default)
    }
}

/// Returns the format that a media type selects, or `None` if it is not supported.
fn supported_format(media_type: &Preference) -> Option<Format> {
    let version = media_type.param("version");
    match (media_type.name.as_str(), version) {
        ("text/plain", Some("1.0.0")) => Some(Format::TextV1),
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Some(Format::Text),
        ("application/openmetrics-text", None | Some("0.0.1" | "1.0.0")) => {
            Some(Format::OpenMetrics)
        }
        ("application/vnd.google.protobuf", _) => {
            let is_metric_family =
                media_type.param("proto") == Some("io.prometheus.client.MetricFamily");
            let is_delimited = media_type.param("encoding") == Some("delimited");
            (is_metric_family && is_delimited).then_some(Format::Protobuf)
        }
        ("application/json", _) => Some(Format::Json),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOBUF: &str = "application/vnd.google.protobuf;\
        proto=io.prometheus.client.MetricFamily;encoding=delimited";
    const PROTOBUF_TYPE: &str = "application/vnd.google.protobuf; \
        proto=io.prometheus.client.MetricFamily; encoding=delimited";
    const TEXT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
    const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    #[track_caller]
    fn check(accept: &str, content_type: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        assert_eq!(
            ResponseFormat::negotiate(&headers).content_type(),
            content_type
        );
    }

    #[test]
    fn prometheus_2_and_3_and_victoriametrics_get_the_format_they_prefer() {
        // Prometheus 2.42, without and with native histograms.
        let open = "application/openmetrics-text;version=1.0.0";
        let others = "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;\
                    q=0.5,*/*;q=0.1";
        check(&format!("{open},{others}"), OPENMETRICS_TYPE);
        check(&format!("{PROTOBUF},{open};q=0.8,{others}"), PROTOBUF_TYPE);
        // 2.53.
        let others = "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;\
                    q=0.3,*/*;q=0.2";
        check(&format!("{open};q=0.5,{others}"), OPENMETRICS_TYPE);
        check(
            &format!("{PROTOBUF};q=0.5,{open};q=0.4,{others}"),
            PROTOBUF_TYPE,
        );
        // 3.5, with and without native histograms, and limited to one format.
        let open = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8";
        let others = "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
                    escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        check(
            &format!("{PROTOBUF};q=0.6,{open};q=0.5,{others}"),
            PROTOBUF_TYPE,
        );
        let open_utf8 = format!("{OPENMETRICS_TYPE}; escaping=allow-utf-8");
        check(&format!("{open};q=0.6,{others}"), &open_utf8);
        check(&format!("{open};q=0.6,*/*;q=0.5"), &open_utf8);
        check("text/plain;version=0.0.4;q=0.6,*/*;q=0.5", TEXT_TYPE);
        check(
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        );
        // VictoriaMetrics 1.145.
        check("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT_TYPE);
    }

    #[test]
    fn wildcards_and_unsupported_types_get_text() {
        check("*/*", TEXT_TYPE);
        check("text/*", TEXT_TYPE);
        check("text/html,application/xhtml+xml,*/*;q=0.8", TEXT_TYPE);
        check("nonsense", TEXT_TYPE);
        check("", TEXT_TYPE);
        check("application/vnd.google.protobuf", TEXT_TYPE);
        check("application/openmetrics-text;version=7", TEXT_TYPE);
        check("application/openmetrics-text;q=0", TEXT_TYPE);
        check("image/png", TEXT_TYPE);
        assert_eq!(
            ResponseFormat::negotiate(&HeaderMap::new()),
            ResponseFormat::new(Format::Text)
        );
    }

    #[test]
    fn json_is_used_only_if_it_is_named_and_preferred_to_text() {
        check("application/json", "application/json");
        check("application/json, */*;q=0.5", "application/json");
        check("application/json, text/plain, */*", TEXT_TYPE);
        check("application/json, */*", TEXT_TYPE);
        check("application/json;q=0.5, text/plain", TEXT_TYPE);
        check("application/*", TEXT_TYPE);
    }

    #[test]
    fn supported_versions_and_escaping_schemes_are_used() {
        let old = "application/openmetrics-text; version=0.0.1; charset=utf-8";
        check("application/openmetrics-text", old);
        check("application/openmetrics-text;version=0.0.1", old);
        check(
            "application/openmetrics-text;version=1.0.0",
            OPENMETRICS_TYPE,
        );
        check("text/plain", TEXT_TYPE);
        check(
            "text/plain;version=1.0.0",
            "text/plain; version=1.0.0; charset=utf-8; escaping=underscores",
        );
        for scheme in ["allow-utf-8", "underscores", "dots", "values"] {
            let accept = format!("text/plain;version=0.0.4;escaping={scheme}");
            check(&accept, &format!("{TEXT_TYPE}; escaping={scheme}"));
        }
        check("text/plain;version=0.0.4;escaping=other", TEXT_TYPE);
        check(
            "application/vnd.google.protobuf;encoding=text;\
             proto=io.prometheus.client.MetricFamily,text/plain;q=0.1",
            TEXT_TYPE,
        );
    }
}
