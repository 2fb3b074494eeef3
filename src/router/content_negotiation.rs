//! Which format an answer has, by the client's `Accept`.
//!
//! The rules are those of Prometheus's own clients, whose server fails a scrape that
//! it cannot read: what is not understood is passed over, nothing is ever refused,
//! and whoever asks for nothing in particular gets the format that all of them read.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

use crate::export::Format;
use crate::router::accept_header::{Preference, preferences};
use crate::snapshot::Escaping;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NegotiatedFormat {
    pub(super) format: Format,
    pub(super) escaping: Escaping,
    /// Whether the client asked for a scheme, and so is told which one it got.
    told: bool,
    /// Whether it asked for `OpenMetrics` by the version before 1.0.0, or none, which to
    /// Prometheus's clients is the same.
    old: bool,
}

impl NegotiatedFormat {
    /// Returns the format that a client likes best of those that there are.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let choices = preferences(headers, &ACCEPT);
        let mut known = choices.iter().filter(|choice| choice.weight > 0);
        let Some((choice, format)) = known.find_map(|one| Some((one, format(one)?))) else {
            return Self::text();
        };
        // JSON only where no other format is liked as much: a client that takes
        // anything is most likely a Prometheus behind something.
        let as_dear = |other: &&Preference| other.weight == choice.weight && is_text(other);
        if format == Format::Json && choices.iter().any(|other| as_dear(&other)) {
            return Self::text();
        }
        let asked = choice.param("escaping").and_then(Escaping::from_name);
        Self {
            format,
            escaping: asked.unwrap_or_default(),
            told: format != Format::Json && (asked.is_some() || format == Format::TextV1),
            old: choice.param("version") != Some("1.0.0"),
        }
    }

    /// Returns JSON, where that is what was asked for.
    pub(super) fn json() -> Self {
        Self::plain(Format::Json)
    }

    fn text() -> Self {
        Self::plain(Format::Text)
    }

    fn plain(format: Format) -> Self {
        Self {
            format,
            escaping: Escaping::default(),
            told: false,
            old: false,
        }
    }

    /// Returns the answer's `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        let mut text = match self.format {
            Format::OpenMetrics if self.old => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
            format => format.content_type(),
        }
        .to_owned();
        if self.told {
            text.push_str("; escaping=");
            text.push_str(self.escaping.as_str());
        }
        let plain = HeaderValue::from_static(self.format.content_type());
        HeaderValue::from_str(&text).unwrap_or(plain)
    }
}

/// Returns the format that a choice names, if it is one that there is.
fn format(choice: &Preference) -> Option<Format> {
    let version = choice.param("version");
    match (choice.name.as_str(), version) {
        ("text/plain", Some("1.0.0")) => Some(Format::TextV1),
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Some(Format::Text),
        ("application/openmetrics-text", None | Some("0.0.1" | "1.0.0")) => {
            Some(Format::OpenMetrics)
        }
        ("application/vnd.google.protobuf", _) => {
            let message = choice.param("proto") == Some("io.prometheus.client.MetricFamily");
            let delimited = choice.param("encoding") == Some("delimited");
            (message && delimited).then_some(Format::Protobuf)
        }
        ("application/json", _) => Some(Format::Json),
        _ => None,
    }
}

fn is_text(choice: &Preference) -> bool {
    format(choice).is_some_and(|format| format != Format::Json)
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
            NegotiatedFormat::from_headers(&headers).content_type(),
            content_type
        );
    }

    #[test]
    fn three_generations_of_prometheus_and_victoriametrics_get_what_they_like_best() {
        // Prometheus 2.42, without and with native histograms.
        let open = "application/openmetrics-text;version=1.0.0";
        let rest = "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;\
                    q=0.5,*/*;q=0.1";
        check(&format!("{open},{rest}"), OPENMETRICS_TYPE);
        check(&format!("{PROTOBUF},{open};q=0.8,{rest}"), PROTOBUF_TYPE);
        // 2.53.
        let rest = "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;\
                    q=0.3,*/*;q=0.2";
        check(&format!("{open};q=0.5,{rest}"), OPENMETRICS_TYPE);
        check(
            &format!("{PROTOBUF};q=0.5,{open};q=0.4,{rest}"),
            PROTOBUF_TYPE,
        );
        // 3.5, with native histograms and without, and held to one format.
        let open = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8";
        let rest = "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
                    escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        check(
            &format!("{PROTOBUF};q=0.6,{open};q=0.5,{rest}"),
            PROTOBUF_TYPE,
        );
        let open_utf8 = format!("{OPENMETRICS_TYPE}; escaping=allow-utf-8");
        check(&format!("{open};q=0.6,{rest}"), &open_utf8);
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
    fn whoever_asks_for_anything_or_nonsense_gets_text() {
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
            NegotiatedFormat::from_headers(&HeaderMap::new()),
            NegotiatedFormat::text()
        );
    }

    #[test]
    fn json_is_given_only_where_it_is_liked_best_by_name() {
        check("application/json", "application/json");
        check("application/json, */*;q=0.5", "application/json");
        check("application/json, text/plain, */*", TEXT_TYPE);
        check("application/json, */*", TEXT_TYPE);
        check("application/json;q=0.5, text/plain", TEXT_TYPE);
        check("application/*", TEXT_TYPE);
    }

    #[test]
    fn versions_and_escaping_schemes_are_those_asked_for_as_far_as_there_are_such() {
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
