//! Blocks to encode, and the parts of requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encode::otlp::tests::wire_message::WireMessage;
use crate::encode::otlp::{
    ExemplarTimes, HistogramEncoding, OtlpEncoder, OtlpSettings, Temporality,
};
use crate::snapshot::{
    BlockLabels, Bounds, Desc, Histograms, Kind, Labels, NativeBuckets, SeriesBlock, Totals, Values,
};

/// When the values are read, in milliseconds.
pub(super) const TIME: u64 = 1_700_000_000_123;
/// When the series are created.
pub(super) const CREATED: u64 = TIME - 5_000;

pub(super) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

pub(super) fn encoder(histograms: HistogramEncoding) -> OtlpEncoder {
    let settings = OtlpSettings {
        resource: vec![("service.name".into(), "shop".into())],
        histograms,
    };
    let exemplars = ExemplarTimes {
        since: None,
        before: time(TIME + 1),
    };
    let mut encoder = OtlpEncoder::new(&settings, exemplars);
    encoder.start_request(time(TIME));
    encoder
}

/// Makes a block whose series have these labels.
pub(super) fn block(desc: Desc, values: Values, labels: &[&[(&str, &str)]]) -> SeriesBlock {
    let mut block = SeriesBlock::new(Arc::new(desc), values);
    let labels: Vec<_> = labels
        .iter()
        .map(|pairs| Labels::new(pairs.iter().copied()))
        .collect();
    block.labels = labels.iter().map(Labels::view).collect::<BlockLabels>();
    block.created_millis = vec![CREATED; labels.len()];
    block
}

/// Makes a block with one series of a counter.
pub(super) fn counter(whole: u64) -> SeriesBlock {
    let values = Values::Counter(vec![whole.into()]);
    block(Desc::new("jobs", "Jobs.", Kind::Counter), values, &[&[]])
}

/// Makes a block with one series of a gauge.
pub(super) fn gauge(name: &str, value: f64) -> SeriesBlock {
    block(
        Desc::new(name, "", Kind::Gauge),
        Values::Gauge(vec![value]),
        &[&[]],
    )
}

/// Makes a block with one histogram, which has the bounds 1 and 2.
pub(super) fn histogram(
    counts: [u64; 3],
    totals: Totals,
    native: Option<NativeBuckets>,
) -> SeriesBlock {
    let mut all = Histograms::new(Bounds::new(&[1.0, 2.0]).unwrap());
    all.counts = counts.into();
    all.totals = vec![totals];
    all.native = native.into_iter().collect();
    let desc = Desc::new("wait_seconds", "Wait.", Kind::Histogram);
    block(desc, Values::Histogram(all), &[&[]])
}

/// Encodes all series of a block, and returns its only metric.
pub(super) fn metric(
    block: &SeriesBlock,
    histograms: HistogramEncoding,
    temporality: Temporality,
) -> WireMessage {
    let mut encoder = encoder(histograms);
    encoder.add(block, temporality);
    let mut metrics = metrics(&encoder.take_request().unwrap());
    assert_eq!(metrics.len(), 1);
    metrics.remove(0)
}

/// Returns the metrics of a request.
pub(super) fn metrics(request: &[u8]) -> Vec<WireMessage> {
    let resource_metrics = WireMessage::new(request).message(1);
    resource_metrics.message(2).messages(2)
}

/// Returns the attributes in a field of a message, as text.
pub(super) fn attributes(message: &WireMessage, field: u64) -> Vec<(String, String)> {
    let attributes = message.messages(field);
    let attributes = attributes.iter().map(|attribute| {
        let value = attribute.message(2);
        let value = match value.varint(3) {
            Some(number) => format!("integer {number}"),
            None => value.text(1).to_owned(),
        };
        (attribute.text(1).to_owned(), value)
    });
    attributes.collect()
}

/// The field numbers of `Metric`.
pub(super) const GAUGE: u64 = 5;
pub(super) const SUM: u64 = 7;
pub(super) const HISTOGRAM: u64 = 9;
pub(super) const EXPONENTIAL_HISTOGRAM: u64 = 10;
