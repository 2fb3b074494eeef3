//! The histogram's handle.

use std::sync::Arc;
use std::time::Duration;

use crate::cell::HistogramCell;
use crate::error::{Error, PercentileError};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{
    Bounds, HistogramStats, HistogramView, Histograms, Kind, Labels, Sample, Value, Values,
};

/// A distribution: durations in seconds, sizes in bytes.
///
/// It keeps a number a bucket, the sum, the least and the greatest value, so
/// its memory does not grow with what it observes. A clone is the same
/// histogram. See the [module](crate::metric) for an example.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Series<HistogramCell, Bounds>>);

impl Histogram {
    /// Makes a histogram without a name over the default bounds, 5 ms to 10 s,
    /// which no registry shows until
    /// [`Registry::register`](crate::registry::Registry::register) names it.
    #[must_use]
    pub fn new() -> Self {
        new_series(Labels::new([]), &Shared::new(Bounds::default()))
    }

    /// Makes a histogram without a name over bounds of one's own: finite and
    /// ascending, each the inclusive upper end of a bucket.
    ///
    /// # Errors
    ///
    /// When there is no bound, or one is not finite, or not above the one before
    /// it.
    pub fn with_buckets(bounds: &[f64]) -> Result<Self, Error> {
        let bounds = Bounds::new(bounds)?;
        Ok(new_series(Labels::new([]), &Shared::new(bounds)))
    }

    /// Counts a value; one that is infinite or NaN is ignored and counted as
    /// invalid, since it would spoil the sum for good.
    pub fn observe(&self, value: f64) {
        if value.is_finite() {
            let bucket = self.0.shared.settings.bucket_of(value);
            self.0.cell.observe(bucket, value);
        } else {
            self.0.shared.invalid.add(1);
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
    /// It is interpolated within a bucket, so it is off by less than that
    /// bucket's width, and never outside the least and greatest value seen.
    ///
    /// # Errors
    ///
    /// [`PercentileError::Empty`] when nothing was observed;
    /// [`PercentileError::OutOfRange`] when `percentile` is not within 0 to 100.
    pub fn percentile(&self, percentile: f64) -> Result<f64, PercentileError> {
        self.view(|view| view.percentile(percentile))
    }

    /// Forgets all observations.
    ///
    /// One that another thread makes at the same moment is forgotten or kept as
    /// a count; its value may then be in sum, least and greatest value without
    /// being counted, or the other way round.
    pub fn reset(&self) {
        self.0.cell.reset();
    }

    /// Returns the histogram's labels and statistics now.
    #[must_use]
    pub fn snapshot(&self) -> Sample {
        Sample::now(&self.0.labels, Value::Histogram(self.stats()))
    }

    fn view<T>(&self, look: impl FnOnce(HistogramView<'_>) -> T) -> T {
        let mut counts = Vec::new();
        let totals = self.0.cell.read(&mut counts);
        look(HistogramView::new(&self.0.shared.settings, &counts, totals))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Instrument for Histogram {
    type Cell = HistogramCell;
    type Settings = Bounds;
    const KIND: Kind = Kind::Histogram;

    fn cell(bounds: &Bounds) -> HistogramCell {
        HistogramCell::new(bounds.len() + 1)
    }

    fn values(bounds: &Bounds) -> Values {
        Values::Histogram(Histograms::new(bounds.clone()))
    }

    fn from_series(series: Arc<Series<HistogramCell, Bounds>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<HistogramCell, Bounds>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Histogram(histograms) = values {
            let totals = self.0.cell.read(&mut histograms.counts);
            histograms.totals.push(totals);
        }
    }

    fn total(&self) -> f64 {
        self.view(|view| view.count() as f64)
    }

    fn clear(&self) {
        self.reset();
    }
}
