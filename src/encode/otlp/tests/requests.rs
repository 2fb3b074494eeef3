//! Whole requests.

use crate::encode::otlp::tests::blocks::{
    GAUGE, HISTOGRAM, SUM, attributes, counter, encoder, gauge, histogram, metrics,
};
use crate::encode::otlp::tests::wire_message::WireMessage;
use crate::encode::otlp::{HistogramEncoding, Temporality};
use crate::snapshot::Totals;

#[test]
fn a_request_has_the_resource_the_scope_and_the_metrics() {
    let mut encoder = encoder(HistogramEncoding::Explicit);
    encoder.add(&counter(3), 0..1, Temporality::Cumulative);
    encoder.add(&gauge("a", 1.0), 0..1, Temporality::Cumulative);
    encoder.add(&gauge("b", 2.0), 0..1, Temporality::Cumulative);
    encoder.add(
        &histogram([1, 0, 0], Totals::default(), None),
        0..1,
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
    encoder.add(&block, 0..0, Temporality::Cumulative);
    assert_eq!(encoder.take_request(), None);
    for _ in 0..2 {
        encoder.add(&block, 0..1, Temporality::Cumulative);
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
    encoder.add(&block, 0..1, Temporality::Delta);
    encoder.add(&block.clone(), 0..1, Temporality::Delta);
    encoder.add(&block, 0..1, Temporality::Cumulative);
    let metrics = metrics(&encoder.take_request().unwrap());
    let sums: Vec<_> = metrics.iter().map(|metric| metric.message(SUM)).collect();
    let points: Vec<_> = sums.iter().map(|sum| sum.messages(1).len()).collect();
    assert_eq!(points, [2, 1]);
    let temporalities = sums.iter().map(|sum| sum.varint(2));
    assert_eq!(temporalities.collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!(sums.iter().all(|sum| sum.varint(3) == Some(1)));
}
