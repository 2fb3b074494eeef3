//! A block of series: the unit in which a registry is read.

use std::sync::Arc;

use crate::snapshot::{BlockLabels, Count, Desc, Exemplar, Histograms};

/// Up to [`MAX_SERIES`](Self::MAX_SERIES) series of one family, read at about the same time.
///
/// The series with the index `i` has the labels `labels.get(i)`, and the number, or group of
/// numbers, with the index `i` in `values`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesBlock {
    /// The description of the family.
    pub desc: Arc<Desc>,
    /// Whether this is the first block of the family, before which a header is written.
    pub is_first: bool,
    /// Whether the series are computed each time they are read, as by a collector. Such a series
    /// may be missing from a read, and come back with its creation time and value.
    pub(crate) is_computed: bool,
    /// The labels of each series.
    pub labels: BlockLabels,
    /// When each series was created or last reset, in milliseconds since 1970.
    pub created_millis: Vec<u64>,
    /// Exemplars of all series, sorted by series and bucket.
    pub exemplars: Vec<Exemplar>,
    /// The values of all series.
    pub values: Values,
}

impl SeriesBlock {
    /// The maximum number of series in a block.
    pub const MAX_SERIES: usize = 64;
    /// A block of stored series ends when the texts of their labels have this many bytes. A scrape
    /// that its client reads slowly keeps the block in memory.
    pub(crate) const MAX_LABEL_BYTES: usize = 16 * 1024;

    /// Makes the first block of a family, without series.
    #[must_use]
    pub fn new(desc: Arc<Desc>, values: Values) -> Self {
        Self {
            desc,
            is_first: true,
            is_computed: false,
            labels: BlockLabels::default(),
            created_millis: Vec::new(),
            exemplars: Vec::new(),
            values,
        }
    }

    /// Makes an empty block with space for `series` series, whose labels have `label_bytes` bytes.
    pub(crate) fn with_capacity(
        desc: Arc<Desc>,
        values: Values,
        series: usize,
        label_bytes: usize,
    ) -> Self {
        Self {
            labels: BlockLabels::with_capacity(series, label_bytes),
            created_millis: Vec::with_capacity(series),
            ..Self::new(desc, values)
        }
    }

    /// Removes all series but those with these indexes, which are ascending.
    pub(crate) fn retain(&mut self, kept: &[usize]) {
        if kept.len() == self.labels.len() {
            return;
        }
        self.labels.retain(kept);
        self.created_millis = kept
            .iter()
            .filter_map(|&i| self.created_millis.get(i).copied())
            .collect();
        self.exemplars.retain_mut(|exemplar| {
            let position = kept.binary_search(&exemplar.series);
            exemplar.series = position.unwrap_or(0);
            position.is_ok()
        });
        self.values.retain(kept);
    }

    /// Returns the exemplars of one series, sorted by bucket.
    #[must_use]
    pub fn exemplars_for(&self, series: usize) -> &[Exemplar] {
        if self.exemplars.is_empty() {
            return &[];
        }
        let start = self
            .exemplars
            .partition_point(|exemplar| exemplar.series < series);
        let end = self
            .exemplars
            .partition_point(|exemplar| exemplar.series <= series);
        &self.exemplars[start..end]
    }
}

/// The values of the series in a block, one entry per series.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Values of counters.
    Counter(Vec<Count>),
    /// Values of gauges, any `f64`.
    Gauge(Vec<f64>),
    /// Values of histograms.
    Histogram(Histograms),
}

impl Values {
    /// Frees unused memory, if it is much.
    pub(crate) fn shrink(&mut self) {
        if let Self::Histogram(histograms) = self {
            let counts = &mut histograms.counts;
            if counts.capacity() > 2 * counts.len() + 1_024 {
                counts.shrink_to_fit();
            }
        }
    }

    /// Removes all series but those with these indexes, which are ascending.
    fn retain(&mut self, kept: &[usize]) {
        match self {
            Self::Counter(counts) => *counts = select(counts, kept),
            Self::Gauge(numbers) => *numbers = select(numbers, kept),
            Self::Histogram(histograms) => histograms.retain(kept),
        }
    }

    /// Adds the value of a series of `other` to that of a series of these. Returns false, and
    /// changes nothing, if the two cannot be added.
    pub(crate) fn add(&mut self, series: usize, other: &Self, other_series: usize) -> bool {
        match (self, other) {
            (Self::Counter(counts), Self::Counter(others)) => {
                counts[series].whole = counts[series]
                    .whole
                    .wrapping_add(others[other_series].whole);
                counts[series].fraction += others[other_series].fraction;
                true
            }
            (Self::Gauge(numbers), Self::Gauge(others)) => {
                numbers[series] += others[other_series];
                true
            }
            (Self::Histogram(histograms), Self::Histogram(others)) => others
                .get(other_series)
                .is_some_and(|other| histograms.add(series, other)),
            _ => false,
        }
    }

    /// Returns the sum over all series; for histograms, the number of observations.
    pub(crate) fn total(&self) -> f64 {
        match self {
            Self::Counter(counts) => counts.iter().fold(0.0, |sum, count| sum + count.value()),
            Self::Gauge(numbers) => numbers.iter().fold(0.0, |sum, number| sum + number),
            Self::Histogram(histograms) => histograms.counts.iter().sum::<u64>() as f64,
        }
    }
}

fn select<T: Copy>(values: &[T], indexes: &[usize]) -> Vec<T> {
    indexes.iter().map(|&i| values[i]).collect()
}
