//! Whole requests.

use crate::encode::otlp::tests::blocks::{
    GAUGE, HISTOGRAM, SUM, attributes, block, counter, encoder, gauge, histogram, metrics,
};
use crate::encode::otlp::tests::wire_message::WireMessage;
use crate::encode::otlp::{HistogramEncoding, Temporality};
use crate::snapshot::{Count, Desc, Kind, Totals, Values};

#[test]
fn a_request_has_the_resource_the_scope_and_the_metrics() {
    let mut encoder = encoder(HistogramEncoding::Explicit);
    encoder.add(&counter(3), Temporality::Cumulative);
    encoder.add(&gauge("a", 1.0), Temporality::Cumulative);
    encoder.add(&gauge("b", 2.0), Temporality::Cumulative);
    encoder.add(
        &histogram([1, 0, 0], Totals::default(), None),
        Temporality::Cumulative,
    );
    assert_eq!(encoder.points(), 4);
    let request = encoder.take_request().unwrap();
    let resource_metrics = WireMessage::new(&request).message(1);
    let resource = resource_metrics.message(1);
    let name = ("service.name".to_owned(), "shop".to_owned());
    assert_eq!(attributes(&resource, 1), [name]);
    let scope = resource_metrics.message(2).message(1);
    assert_eq!(scope.text(1), "tachometer");
    assert_eq!(scope.text(2), env!("CARGO_PKG_VERSION"));
    let metrics = metrics(&request);
    let names: Vec<_> = metrics.iter().map(|metric| metric.text(1)).collect();
    assert_eq!(names, ["jobs_total", "a", "b", "wait_seconds"]);
    let texts = metrics
        .iter()
        .map(|metric| (metric.text(2), metric.text(3)));
    let texts: Vec<_> = texts.collect();
    assert_eq!(texts, [("Jobs.", ""), ("", ""), ("", ""), ("Wait.", "s")]);
    let fields = [SUM, GAUGE, GAUGE, HISTOGRAM];
    for (metric, field) in metrics.iter().zip(fields) {
        assert_eq!(metric.message(field).messages(1).len(), 1);
    }
}

#[test]
fn nothing_makes_no_request_and_requests_share_no_metric() {
    let mut encoder = encoder(HistogramEncoding::Explicit);
    assert_eq!(encoder.take_request(), None);
    let block = counter(1);
    let mut empty = block.clone();
    empty.retain(&[]);
    encoder.add(&empty, Temporality::Cumulative);
    assert_eq!(encoder.take_request(), None);
    for _ in 0..2 {
        encoder.add(&block, Temporality::Cumulative);
        let request = encoder.take_request().unwrap();
        let metrics = metrics(&request);
        assert_eq!(metrics.len(), 1);
        assert_eq!(metrics[0].message(SUM).messages(1).len(), 1);
        assert_eq!(encoder.points(), 0);
        assert_eq!(encoder.take_request(), None);
    }
}

#[test]
fn the_blocks_of_a_family_are_one_metric() {
    let mut encoder = encoder(HistogramEncoding::Explicit);
    let block = counter(1);
    encoder.add(&block, Temporality::Delta);
    encoder.add(&block.clone(), Temporality::Delta);
    encoder.add(&block, Temporality::Cumulative);
    let metrics = metrics(&encoder.take_request().unwrap());
    let sums: Vec<_> = metrics.iter().map(|metric| metric.message(SUM)).collect();
    let points: Vec<_> = sums.iter().map(|sum| sum.messages(1).len()).collect();
    assert_eq!(points, [2, 1]);
    let temporalities = sums.iter().map(|sum| sum.varint(2));
    assert_eq!(temporalities.collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(sums.iter().all(|sum| sum.varint(3) == Some(1)));
}

#[test]
fn the_length_of_a_request_is_known_before_it_is_encoded() {
    for (metrics, series, help_len) in [(0, 0, 0), (1, 1, 0), (1_000, 1, 200), (10, 60, 20)] {
        let mut encoder = encoder(HistogramEncoding::Explicit);
        let help = "h".repeat(help_len);
        let labels: Vec<&[(&str, &str)]> = vec![&[("route", "/")]; series];
        for metric in 0..metrics {
            let desc = Desc::new(&format!("metric_{metric}_seconds"), &help, Kind::Counter);
            let values = Values::Counter((0..series as u64).map(Count::from).collect());
            let block = block(desc, values, &labels);
            encoder.add(&block, Temporality::Cumulative);
        }
        let before = encoder.len();
        let Some(request) = encoder.take_request() else {
            continue;
        };
        let is_close = request.len() <= before && before <= request.len() + 20 * metrics;
        assert!(is_close, "{before} and {}", request.len());
        // The next request has none of it.
        assert!(encoder.len() < 200, "{}", encoder.len());
    }
}
