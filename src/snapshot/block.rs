//! A block of series: the unit in which a registry is read.

use std::sync::Arc;

use crate::snapshot::{Count, Desc, Histograms, Labels};

/// Up to [`SERIES`](Self::SERIES) series of one family, read at about one time.
///
/// The series at position `i` has the labels `labels[i]` and the `i`-th number,
/// or group of numbers, of `values`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Block {
    /// What the family is.
    pub desc: Arc<Desc>,
    /// Whether this is the family's first block, whose header is still to be
    /// written.
    pub first: bool,
    /// The labels of each series.
    pub labels: Vec<Labels>,
    /// The numbers of all series.
    pub values: Values,
}

impl Block {
    /// The most series that a block holds.
    pub const SERIES: usize = 64;

    /// Makes a block without series yet.
    #[must_use]
    pub fn new(desc: Arc<Desc>, first: bool, values: Values) -> Self {
        Self {
            desc,
            first,
            labels: Vec::new(),
            values,
        }
    }
}

/// The numbers of a block's series, one entry a series.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Of a counter.
    Counter(Vec<Count>),
    /// Of a gauge, any `f64`.
    Gauge(Vec<f64>),
    /// Of a histogram.
    Histogram(Histograms),
}
