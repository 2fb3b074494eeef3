//! Reads the sums of histograms.

use tachometer::Registry;
use tachometer::snapshot::Values;

use crate::support::read::sum_of;

/// Returns the sum of all values that were observed in those series of a histogram that have
/// all of `labels`.
pub(crate) fn observed(registry: &Registry, metric: &str, labels: &[(&str, &str)]) -> f64 {
    sum_of(registry, metric, labels, |block| match &block.values {
        Values::Histogram(histograms) => histograms.iter().map(|one| one.totals().sum).collect(),
        other => panic!("{metric} is not a histogram: {other:?}"),
    })
}
