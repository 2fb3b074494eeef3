//! The histogram's handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cell::{BucketLayout, HistogramCell};
use crate::error::{Error, PercentileError};
use crate::metric::buckets::Buckets;
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{
    HistogramStats, HistogramView, Histograms, Kind, Labels, SeriesSnapshot, SeriesValue, Values,
};

/// A distribution: durations in seconds, sizes in bytes.
///
/// It keeps its sum, least and greatest value, classic buckets, whose bounds one
/// chooses, and exponential ones, which are for percentiles; see [`Buckets`]. Its
/// memory grows with the magnitudes it sees, and with the threads that use it much,
/// not with how often. A clone is the
/// same histogram. See the [module](crate::metric) for an example.
#[derive(Clone)]
pub struct Histogram(Arc<Series<HistogramCell, Buckets>>);

impl Histogram {
    /// Makes a histogram without a name over the default bounds, 5 ms to 10 s,
    /// which no registry shows until
    /// [`Registry::register`](crate::registry::Registry::register) names it.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Buckets::default())
    }

    /// Makes a histogram without a name over bounds of one's own: finite and
    /// ascending, each the inclusive upper end of a bucket.
    ///
    /// # Errors
    ///
    /// When there is no bound, or one is not finite, or not above the one before
    /// it.
    pub fn with_buckets(bounds: &[f64]) -> Result<Self, Error> {
        Ok(Self::of(Buckets::new(bounds)?))
    }

    /// Counts a value; one that is infinite or NaN is ignored and counted as
    /// invalid, since it would spoil the sum for good.
    pub fn observe(&self, value: f64) {
        if !self.0.cell.observe(self.grid(), value) {
            self.0.shared.invalid.add(1);
        }
    }

    /// Counts a value as [`observe`](Self::observe) does, and keeps it as its
    /// bucket's exemplar, with labels that lead to where it came from.
    ///
    /// What [`Counter::inc_with_exemplar`](crate::Counter::inc_with_exemplar) says
    /// of them holds here.
    pub fn observe_with_exemplar(&self, value: f64, labels: &[(&str, &str)]) {
        self.observe(value);
        if value.is_finite() {
            let bucket = self.grid().classic.bucket_index(value);
            self.0.keep_exemplar(bucket, value, labels);
        }
    }

    /// Counts a duration, in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Returns count, sum, least, greatest and mean value, and the buckets.
    #[must_use]
    pub fn stats(&self) -> HistogramStats {
        self.view(|view| view.stats())
    }

    /// Returns an estimate of the value that `percentile` percent of the
    /// observations do not exceed, from 0 to 100.
    ///
    /// It is exact at 0 and 100, and never outside the least and greatest value
    /// seen. With exponential buckets, as a histogram without labels has them, it
    /// is off by at most 4.5 % at the default resolution; see [`Buckets::native`].
    /// In a family without them it is interpolated within a classic bucket.
    ///
    /// # Errors
    ///
    /// [`PercentileError::Empty`] when nothing was observed;
    /// [`PercentileError::OutOfRange`] when `percentile` is not within 0 to 100.
    pub fn percentile(&self, percentile: f64) -> Result<f64, PercentileError> {
        self.view(|view| view.percentile(percentile))
    }

    /// Forgets all observations; the sum keeps the precision that it had before.
    ///
    /// One that another thread makes at the same moment is forgotten or kept as
    /// a count; its value may then be in sum, least and greatest value without
    /// being counted, or the other way round.
    pub fn reset(&self) {
        self.keep_visible();
        self.unset();
    }

    /// Returns the histogram's labels and statistics now.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Histogram(self.stats()))
    }

    fn of(buckets: Buckets) -> Self {
        new_series(
            Labels::new([]),
            &Shared::without_labels(buckets.or_native()),
        )
    }

    /// Returns an empty block's values that this histogram fits into.
    pub(crate) fn empty_values(&self) -> Values {
        Self::values(&self.0.shared.settings, 1)
    }

    /// Returns true when the histogram has the buckets of those in `values`.
    pub(crate) fn fits(&self, values: &Values) -> bool {
        let Values::Histogram(there) = values else {
            return false;
        };
        let native = !there.native.is_empty();
        there.bounds == self.grid().classic
            && (there.totals.is_empty() || native == self.grid().resolution.is_some())
    }

    fn grid(&self) -> &BucketLayout {
        &self.0.shared.settings.layout
    }

    fn view<T>(&self, look: impl FnOnce(HistogramView<'_>) -> T) -> T {
        let mut counts = Vec::new();
        let grid = self.grid();
        let (totals, native) = self.0.cell.read(grid, &mut counts);
        let native = native.as_ref();
        look(HistogramView::new(&grid.classic, &counts, totals, native))
    }
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("Histogram")
            .field("count", &stats.count)
            .field("sum", &stats.sum)
            .finish_non_exhaustive()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Instrument for Histogram {
    type Cell = HistogramCell;
    type Settings = Buckets;
    const KIND: Kind = Kind::Histogram;

    fn settings(alone: bool) -> Buckets {
        let classic = Buckets::default();
        if alone { classic.or_native() } else { classic }
    }

    fn cell(_: &Buckets) -> HistogramCell {
        HistogramCell::new()
    }

    fn values(buckets: &Buckets, series: usize) -> Values {
        let grid = &buckets.layout;
        let mut histograms = Histograms::new(grid.classic.clone());
        histograms.totals.reserve_exact(series);
        // And what the last one needs while it is read.
        let counts = series * grid.bucket_count() + 2 * grid.segment_count();
        histograms.counts.reserve_exact(counts);
        Values::Histogram(histograms)
    }

    fn from_series(series: Arc<Series<HistogramCell, Buckets>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<HistogramCell, Buckets>> {
        &self.0
    }

    fn fetch(&self) {
        self.0.labels.prefetch();
        self.0.cell.fetch();
    }

    fn read(&self, values: &mut Values) {
        if let Values::Histogram(histograms) = values {
            let (totals, native) = self.0.cell.read(self.grid(), &mut histograms.counts);
            histograms.totals.push(totals);
            histograms.native.extend(native);
        }
    }

    fn total(&self) -> f64 {
        self.view(|view| view.count() as f64)
    }

    fn reset_value(&self) {
        self.reset();
    }

    fn unset(&self) {
        self.0.cell.reset(self.grid());
        self.0.restart();
    }

    fn is_unset(&self) -> bool {
        self.view(|view| view.count()) == 0
    }
}
