//! Example observations, as OpenMetrics defines them.

use std::time::SystemTime;

use crate::snapshot::Labels;

/// One increment of a counter or observation of a histogram, with labels that refer to its
/// origin, such as a trace ID.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The index of its series in the block.
    pub series: usize,
    /// The index of its bucket in the histogram; 0 for a counter.
    pub bucket: usize,
    /// Labels of the exemplar, in addition to those of the series.
    pub labels: Labels,
    /// The increment of the counter, or the value that was observed.
    pub value: f64,
    /// When it was recorded.
    pub timestamp: SystemTime,
}
