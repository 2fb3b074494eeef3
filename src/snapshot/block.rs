//! A block of series: the unit in which a registry is read.

use std::sync::Arc;

use crate::snapshot::{Count, Desc, Exemplar, Histograms, Labels};

/// Up to [`MAX_SERIES`](Self::MAX_SERIES) series of one family, read at about one time.
///
/// The series at position `i` has the labels `labels[i]` and the `i`-th number,
/// or group of numbers, of `values`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesBlock {
    /// What the family is.
    pub desc: Arc<Desc>,
    /// Whether this is the family's first block, whose header is still to be
    /// written.
    pub is_first: bool,
    /// The labels of each series.
    pub labels: Vec<Labels>,
    /// When each series was made or last reset, in milliseconds since 1970.
    pub created_millis: Vec<u64>,
    /// Observations that stand for others, sorted by series and bucket.
    pub exemplars: Vec<Exemplar>,
    /// The numbers of all series.
    pub values: Values,
}

impl SeriesBlock {
    /// The most series that a block holds.
    pub const MAX_SERIES: usize = 64;

    /// Makes the first block of a family, without series yet.
    #[must_use]
    pub fn new(desc: Arc<Desc>, values: Values) -> Self {
        Self {
            desc,
            is_first: true,
            labels: Vec::new(),
            created_millis: Vec::new(),
            exemplars: Vec::new(),
            values,
        }
    }

    /// Makes one with room for so many series.
    pub(crate) fn with_capacity(desc: Arc<Desc>, values: Values, series: usize) -> Self {
        Self {
            labels: Vec::with_capacity(series),
            created_millis: Vec::with_capacity(series),
            ..Self::new(desc, values)
        }
    }

    /// Leaves out the series for which `keep` returns false.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let kept: Vec<_> = (0..self.labels.len()).filter(|at| keep(*at)).collect();
        if kept.len() == self.labels.len() {
            return;
        }
        self.labels = kept.iter().map(|&at| self.labels[at].clone()).collect();
        self.created_millis = kept
            .iter()
            .filter_map(|&at| self.created_millis.get(at).copied())
            .collect();
        self.exemplars.retain_mut(|exemplar| {
            let place = kept.binary_search(&exemplar.series);
            exemplar.series = place.unwrap_or(0);
            place.is_ok()
        });
        self.values.retain(&kept);
    }

    /// Returns the exemplars of one series, by bucket.
    #[must_use]
    pub fn exemplars_for(&self, series: usize) -> &[Exemplar] {
        if self.exemplars.is_empty() {
            return &[];
        }
        let start = self.exemplars.partition_point(|own| own.series < series);
        let end = self.exemplars.partition_point(|own| own.series <= series);
        &self.exemplars[start..end]
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

impl Values {
    /// Gives memory back that reading the numbers took, where it is much.
    pub(crate) fn shrink(&mut self) {
        if let Self::Histogram(histograms) = self {
            let counts = &mut histograms.counts;
            if counts.capacity() > 2 * counts.len() + 1_024 {
                counts.shrink_to_fit();
            }
        }
    }

    /// Keeps the numbers of these series, which are in ascending order.
    fn retain(&mut self, kept: &[usize]) {
        match self {
            Self::Counter(counts) => *counts = select(counts, kept),
            Self::Gauge(numbers) => *numbers = select(numbers, kept),
            Self::Histogram(histograms) => histograms.retain(kept),
        }
    }

    /// Adds the number of a series of `other` to that of one of these. Returns false, and
    /// changes nothing, if the two cannot be added.
    pub(crate) fn add(&mut self, series: usize, other: &Self, from: usize) -> bool {
        match (self, other) {
            (Self::Counter(counts), Self::Counter(others)) => {
                counts[series].whole = counts[series].whole.wrapping_add(others[from].whole);
                counts[series].fraction += others[from].fraction;
                true
            }
            (Self::Gauge(numbers), Self::Gauge(others)) => {
                numbers[series] += others[from];
                true
            }
            (Self::Histogram(histograms), Self::Histogram(others)) => others
                .get(from)
                .is_some_and(|other| histograms.add(series, other)),
            _ => false,
        }
    }

    /// Returns no numbers yet, of the same kind, and over the same bounds.
    pub(crate) fn to_empty(&self) -> Self {
        match self {
            Self::Counter(_) => Self::Counter(Vec::new()),
            Self::Gauge(_) => Self::Gauge(Vec::new()),
            Self::Histogram(histograms) => {
                Self::Histogram(Histograms::new(histograms.bounds.clone()))
            }
        }
    }

    /// Returns the sum over the series; of histograms the number of observations.
    pub(crate) fn total(&self) -> f64 {
        match self {
            Self::Counter(counts) => counts.iter().fold(0.0, |sum, count| sum + count.value()),
            Self::Gauge(numbers) => numbers.iter().fold(0.0, |sum, number| sum + number),
            Self::Histogram(histograms) => histograms.counts.iter().sum::<u64>() as f64,
        }
    }
}

fn select<T: Copy>(all: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().map(|&at| all[at]).collect()
}
