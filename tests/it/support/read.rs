//! Reads numbers from a registry.

use tachometer::Registry;
use tachometer::snapshot::{SeriesBlock, Values};

/// Returns a block's numbers, a series each: of counters and gauges their values, of
/// histograms their counts.
pub(crate) fn numbers(block: &SeriesBlock) -> Vec<f64> {
    match &block.values {
        Values::Counter(counts) => counts.iter().map(|count| count.value()).collect(),
        Values::Gauge(numbers) => numbers.clone(),
        Values::Histogram(histograms) => histograms.iter().map(|one| to_f64(one.count())).collect(),
        other => panic!("a kind of metric unknown to the tests: {other:?}"),
    }
}

/// Returns the sum of the [`numbers`] of those series of `metric` that have all of
/// `labels`.
pub(crate) fn sum(registry: &Registry, metric: &str, labels: &[(&str, &str)]) -> f64 {
    sum_of(registry, metric, labels, numbers)
}

/// Returns the sum of one number per series, of those that have all of `labels`.
pub(crate) fn sum_of(
    registry: &Registry,
    metric: &str,
    labels: &[(&str, &str)],
    numbers: impl Fn(&SeriesBlock) -> Vec<f64>,
) -> f64 {
    let mut sum = 0.0;
    for block in registry
        .gather()
        .filter(|block| block.desc.name() == metric)
    {
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            let has = |label: &(&str, &str)| {
                series
                    .pairs()
                    .any(|(k, v)| *k == *label.0 && *v == *label.1)
            };
            if labels.iter().all(has) {
                sum += number;
            }
        }
    }
    sum
}

/// Returns how many series a registry shows, beside those about itself.
pub(crate) fn series(registry: &Registry) -> usize {
    let blocks = registry.gather();
    let others = blocks.filter(|block| !block.desc.name().starts_with("tachometer_"));
    others.map(|block| block.labels.len()).sum()
}

/// The tests count far less than 2^53.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn to_f64(count: impl TryInto<u64>) -> f64 {
    count.try_into().ok().expect("a count fits") as f64
}
