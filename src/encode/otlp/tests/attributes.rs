//! Labels as attributes.

use crate::encode::otlp::tests::blocks::{GAUGE, SUM, attributes, block, metric};
use crate::encode::otlp::{HistogramEncoding, Temporality};
use crate::snapshot::{Count, Desc, Kind, SemanticNames, Values};

/// Encodes series with these labels, and returns their attributes.
fn encoded(desc: Desc, labels: &[&[(&str, &str)]]) -> Vec<Vec<(String, String)>> {
    let (values, field) = match desc.kind() {
        Kind::Counter => (Values::Counter(vec![Count::default(); labels.len()]), SUM),
        _ => (Values::Gauge(vec![0.0; labels.len()]), GAUGE),
    };
    let block = block(desc, values, labels);
    let metric = metric(&block, HistogramEncoding::Explicit, Temporality::Cumulative);
    let points = metric.message(field).messages(1);
    points.iter().map(|point| attributes(point, 7)).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    pairs.collect()
}

#[test]
fn labels_are_sent_unescaped_in_their_order_and_without_empty_values() {
    let long = "x".repeat(20_000);
    let lengths: Vec<_> = (90..140).map(|len| "y".repeat(len)).collect();
    let mut all = vec![
        vec![("a", "1"), ("b", "2")],
        vec![("a", ""), ("b", "2")],
        vec![("a", "1"), ("b", "")],
        vec![("a", ""), ("b", "")],
        vec![("a", "\"\\\n"), ("b", "\\n")],
        vec![("a", "\0"), ("b", "🚀é")],
        vec![("a", &*long), ("b", "2")],
        vec![("a", "none"), ("b", "1")],
        vec![("b", "2"), ("a", "1")],
        vec![("a", "1")],
        vec![],
        vec![("a", "1"), ("b", "2"), ("with.dot \"", "3")],
    ];
    all.extend(lengths.iter().map(|value| vec![("a", &**value), ("b", "")]));
    let slices: Vec<_> = all.iter().map(Vec::as_slice).collect();
    let encoded = encoded(Desc::new("m", "", Kind::Gauge), &slices);
    for (encoded, labels) in encoded.iter().zip(&all) {
        let mut expected = owned(labels);
        expected.retain(|(_, value)| !value.is_empty());
        assert_eq!(*encoded, expected);
    }
}

#[test]
fn labels_with_a_semantic_name_are_sent_with_it_unless_the_value_is_none() {
    let names = SemanticNames {
        metric: "http.server.requests",
        unit: None,
        attributes: &[
            ("http_route", "http.route"),
            ("http_response_status_code", "http.response.status_code"),
        ],
    };
    let desc = Desc::new("http_server_requests_total", "", Kind::Counter);
    let desc = desc.with_semantic_names(Some(names));
    let all = [
        ("/a", "200", "none"),
        ("none", "none", "ok"),
        ("/\"", "404", "ok"),
        ("/", "_OTHER", "ok"),
        ("/", "2xx", "ok"),
        ("/", "099", "ok"),
        ("/", "", "ok"),
    ]
    .map(|(route, status, outcome)| {
        [
            ("http_route", route),
            ("http_response_status_code", status),
            ("outcome", outcome),
        ]
    });
    let slices: Vec<_> = all.iter().map(<[_; 3]>::as_slice).collect();
    let route = "http.route";
    let status = "http.response.status_code";
    let expected = [
        owned(&[(route, "/a"), (status, "integer 200"), ("outcome", "none")]),
        owned(&[("outcome", "ok")]),
        owned(&[(route, "/\""), (status, "integer 404"), ("outcome", "ok")]),
        owned(&[(route, "/"), (status, "_OTHER"), ("outcome", "ok")]),
        owned(&[(route, "/"), (status, "2xx"), ("outcome", "ok")]),
        owned(&[(route, "/"), (status, "integer 99"), ("outcome", "ok")]),
        owned(&[(route, "/"), ("outcome", "ok")]),
    ];
    assert_eq!(encoded(desc, &slices), expected);
}
