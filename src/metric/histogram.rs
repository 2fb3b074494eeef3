//! A distribution of values.

use std::fmt;
use std::time::Duration;

use crate::cell::{BucketLayout, HistogramCell};
use crate::error::Error;
use crate::metric::buckets::Buckets;
use crate::metric::handle::{CellActivity, Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::metric::timer::{TimedFuture, Timer};
use crate::snapshot::{
    HistogramStats, HistogramView, Histograms, Kind, SeriesSnapshot, SeriesValue, Values,
};

/// A distribution of values: durations in seconds, sizes in bytes.
///
/// It keeps the sum, the minimum, the maximum and the counts of its [`Buckets`]: classic ones with
/// configurable bounds, and exponential ones for percentiles. Its memory grows with the magnitudes
/// of the values, not with their number. If it is recorded more than 50,000 times per second, it
/// gets 16 copies of its counts, on any machine. A clone is the same histogram. See the
/// [module](crate::metric) for an example.
#[doc(alias = "summary")]
#[derive(Clone)]
pub struct Histogram(Handle<HistogramCell>);

impl Histogram {
    /// Creates a histogram with the default buckets, 5 ms to 10 s, and without a name. No
    /// registry shows it until
    /// [`Registry::register`](crate::registry::Registry::register) gives it one.
    #[must_use]
    pub fn new() -> Self {
        Self::with_buckets(Buckets::default())
    }

    /// Creates a histogram with these buckets and without a name.
    ///
    /// Exponential buckets of the default resolution are added if it has none.
    ///
    /// ```
    /// use tachometer::{Buckets, Histogram};
    ///
    /// let bytes = Histogram::with_buckets(Buckets::new(&[1_000.0, 1_000_000.0])?);
    /// bytes.observe(20_000.0);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn with_buckets(buckets: Buckets) -> Self {
        Self(Handle::standalone(buckets.or_native()))
    }

    /// Records a value. Infinities and NaN are ignored and counted as invalid: the sum could
    /// never recover from them.
    #[doc(alias = "record")]
    pub fn observe(&self, value: f64) {
        self.0.series().observe(value);
    }

    /// Records a value as [`observe`](Self::observe) does, and stores it as the exemplar of
    /// its bucket with these labels, such as a trace ID.
    ///
    /// The rules of [`Counter::inc_with_exemplar`](crate::Counter::inc_with_exemplar) apply.
    #[doc(alias = "trace")]
    pub fn observe_with_exemplar(&self, value: f64, labels: &[(&str, &str)]) {
        self.observe(value);
        if value.is_finite() {
            let bucket = self.layout().classic.bucket_index(value);
            self.0.store_exemplar(bucket, value, labels);
        }
    }

    /// Records a duration in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Starts a timer that records the elapsed time, in seconds, when it is dropped.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// fn work(seconds: &Histogram) -> Result<(), std::fmt::Error> {
    ///     let _timer = seconds.start_timer();
    ///     Err(std::fmt::Error)? // recorded, like a return at the end
    /// }
    ///
    /// let seconds = Histogram::new();
    /// assert!(work(&seconds).is_err());
    /// assert_eq!(seconds.stats().count, 1);
    /// ```
    pub fn start_timer(&self) -> Timer {
        Timer::start(self.clone())
    }

    /// Runs a closure, records how long it took, and returns its result. A panic is recorded
    /// too.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// let seconds = Histogram::new();
    /// let sum: u64 = seconds.time(|| (1..=1_000).sum());
    /// assert_eq!((sum, seconds.stats().count), (500_500, 1));
    /// ```
    pub fn time<T>(&self, run: impl FnOnce() -> T) -> T {
        let _timer = self.start_timer();
        run()
    }

    /// Records how long a future takes, from its first poll until it completes or is dropped.
    /// A future that is never polled is not recorded.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let seconds = Histogram::new();
    /// let answer = seconds.time_future(async { 42 }).await;
    /// assert_eq!((answer, seconds.stats().count), (42, 1));
    /// # }
    /// ```
    pub fn time_future<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        TimedFuture::new(future, self.clone())
    }

    /// Returns count, sum, minimum, maximum, mean and the buckets.
    #[must_use]
    pub fn stats(&self) -> HistogramStats {
        self.view(|view| view.stats())
    }

    /// Returns an estimate of a percentile: the value that `percentile` percent of the
    /// observations do not exceed. `percentile` is from 0 to 100.
    ///
    /// The estimate is exact at 0 and 100, and always between the minimum and the maximum.
    /// With exponential buckets, which every histogram outside a family has, the error is at
    /// most 4.5 % at the default resolution; see [`Buckets::native`]. In a family without
    /// them it is interpolated within a classic bucket.
    ///
    /// # Errors
    ///
    /// Returns an error if nothing was observed ([`Error::is_empty_histogram`]) or if
    /// `percentile` is not from 0 to 100 ([`Error::is_invalid_percentile`]).
    #[doc(alias = "quantile")]
    #[doc(alias = "median")]
    pub fn percentile(&self, percentile: f64) -> Result<f64, Error> {
        self.view(|view| view.percentile(percentile))
    }

    /// Removes all observations. This does not restore the precision of the sum, if it was lost
    /// to large values.
    ///
    /// An observation that another thread makes at the same time is either removed, or kept
    /// in the counts. Its value may be in sum, minimum and maximum without being counted, or
    /// the other way round.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Returns the histogram's labels and current statistics.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Histogram(self.stats()))
    }

    /// Returns an empty block of values with this histogram's buckets.
    pub(crate) fn empty_values(&self) -> Values {
        HistogramCell::empty_values(self.0.settings(), 1)
    }

    /// Appends the histogram to a block of values that it [fits](Self::fits).
    pub(crate) fn read(&self, values: &mut Values) {
        self.0.read(values);
    }

    /// Returns true if the histogram has the same buckets as those in `values`.
    pub(crate) fn fits(&self, values: &Values) -> bool {
        let Values::Histogram(histograms) = values else {
            return false;
        };
        let has_native = !histograms.native.is_empty();
        histograms.bounds == self.layout().classic
            && (histograms.totals.is_empty() || has_native == self.layout().resolution.is_some())
    }

    fn layout(&self) -> &BucketLayout {
        &self.0.settings().layout
    }

    fn view<T>(&self, read: impl FnOnce(HistogramView<'_>) -> T) -> T {
        view(self.0.cell(), self.layout(), read)
    }
}

impl Series<HistogramCell> {
    /// Records a value, or counts it as invalid.
    #[inline]
    pub(crate) fn observe(&self, value: f64) {
        if !self.cell.observe(&self.shared.settings.layout, value) {
            self.count_invalid();
        }
    }

    /// Records a value this many times, or counts it as invalid.
    #[cfg(feature = "metrics")]
    pub(crate) fn observe_many(&self, value: f64, count: u32) {
        let layout = &self.shared.settings.layout;
        if !self.cell.observe_many(layout, value, count) {
            self.count_invalid();
        }
    }
}

fn view<T>(
    cell: &HistogramCell,
    layout: &BucketLayout,
    read: impl FnOnce(HistogramView<'_>) -> T,
) -> T {
    let mut counts = Vec::new();
    let (totals, native) = cell.read(layout, &mut counts);
    let native = native.as_ref();
    read(HistogramView::new(&layout.classic, &counts, totals, native))
}

/// Prints count and sum, but not the labels: their values may come from a client.
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

impl_as_handle!(Histogram, HistogramCell);

impl Instrument for Histogram {}

impl MetricCell for HistogramCell {
    type Settings = Buckets;
    const KIND: Kind = Kind::Histogram;

    fn default_settings(has_labels: bool) -> Buckets {
        let classic = Buckets::default();
        if has_labels {
            classic
        } else {
            classic.or_native()
        }
    }

    fn new(_: &Buckets) -> Self {
        Self::new()
    }

    fn empty_values(buckets: &Buckets, series: usize) -> Values {
        let layout = &buckets.layout;
        let mut histograms = Histograms::new(layout.classic.clone());
        histograms.totals.reserve_exact(series);
        // The last term is what the last series needs while it is read.
        let counts = series * layout.bucket_count() + 2 * layout.segment_count();
        histograms.counts.reserve_exact(counts);
        Values::Histogram(histograms)
    }

    fn prefetch(&self) {
        HistogramCell::prefetch(self);
    }

    fn read(&self, buckets: &Buckets, values: &mut Values) {
        if let Values::Histogram(histograms) = values {
            let counts = &mut histograms.counts;
            let (totals, native) = HistogramCell::read(self, &buckets.layout, counts);
            histograms.totals.push(totals);
            histograms.native.extend(native);
        }
    }

    fn total(&self, buckets: &Buckets) -> f64 {
        view(self, &buckets.layout, |view| view.count() as f64)
    }

    fn unset(&self, buckets: &Buckets) {
        self.reset(&buckets.layout);
    }

    fn is_unset(&self, buckets: &Buckets) -> bool {
        view(self, &buckets.layout, |view| view.count()) == 0
    }

    fn activity(&self, buckets: &Buckets) -> Option<CellActivity> {
        Some(CellActivity {
            words: [view(self, &buckets.layout, |view| view.count()), 0],
            is_new: false,
        })
    }

    fn unset_if_unchanged(&self, buckets: &Buckets, activity: &CellActivity) -> bool {
        let [count, _] = activity.words;
        self.reset_if(&buckets.layout, count)
    }
}
