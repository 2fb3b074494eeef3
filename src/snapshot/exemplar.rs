//! An observation that stands for others.

use std::time::SystemTime;

use crate::snapshot::Labels;

/// One increment or observation of a series, with labels of its own that lead to
/// where it came from, as a trace's identifier does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The position in the block of the series that it is of.
    pub series: usize,
    /// The position of a histogram's bucket that it fell into; 0 of a counter.
    pub bucket: usize,
    /// Its own labels, beside those of the series.
    pub labels: Labels,
    /// By how much the counter was moved, or what the histogram observed.
    pub value: f64,
    /// When that was.
    pub timestamp: SystemTime,
}
