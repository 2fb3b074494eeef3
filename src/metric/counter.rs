//! The counter's handle.

use std::fmt;
use std::sync::Arc;

use crate::cell::CounterCell;
use crate::metric::amount::{Amount, Split, split, to_f64};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{Count, Kind, Labels, SeriesSnapshot, SeriesValue, Values};

/// A sum that only grows: requests, errors, bytes.
///
/// A clone is the same counter. See the [module](crate::metric) for an example.
#[derive(Clone)]
pub struct Counter(Arc<Series<CounterCell, ()>>);

impl Counter {
    /// Makes a counter without a name, which no registry shows until
    /// [`Registry::register`](crate::registry::Registry::register) names it.
    #[must_use]
    pub fn new() -> Self {
        new_series(Labels::new([]), &Shared::without_labels(()))
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.0.cell.add(1);
    }

    /// Adds a number, whole or not; one that is negative, infinite or NaN is
    /// ignored and counted as invalid.
    ///
    /// The whole numbers add up to 2^64 and then begin again at 0, which Prometheus
    /// reads as a restart, and so loses nothing of the rate; the others add up to
    /// the largest `f64`, and stay there.
    pub fn inc_by(&self, amount: impl Amount) {
        self.add(amount);
    }

    /// Adds a number as [`inc_by`](Self::inc_by) does, and keeps it as the
    /// counter's exemplar, with labels that lead to where it came from.
    ///
    /// Each takes the place of the one before; one that comes while another thread
    /// keeps or reads one is dropped. Labels that have more than 128 characters
    /// together, as OpenMetrics allows, or a name that is not valid, are ignored
    /// and counted as invalid; the number is added all the same.
    ///
    /// `OpenMetrics` text leaves out an exemplar with a `"` in a label's value, since one widely
    /// used parser (Python's `prometheus_client`) fails the whole scrape because of it. Protobuf
    /// has it (test: `tests/it/formats/exemplars.rs`).
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// let jobs = registry.counter("jobs_total", "Jobs done.")?;
    /// jobs.inc_with_exemplar(1, &[("trace_id", "4bf92f3577b34da6")]);
    /// let block = registry.gather().next().unwrap();
    /// assert_eq!(block.exemplars[0].labels.as_str(), "trace_id=\"4bf92f3577b34da6\"");
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn inc_with_exemplar(&self, amount: impl Amount, labels: &[(&str, &str)]) {
        if self.add(amount) {
            self.0.keep_exemplar(0, to_f64(amount), labels);
        }
    }

    /// Returns the sum; past 2^53 the nearest `f64` to it.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.count().value()
    }

    /// Returns the sum of the whole increments below 2^64, exactly.
    #[must_use]
    pub fn get_u64(&self) -> u64 {
        self.count().whole
    }

    /// Sets the sum back to 0, which Prometheus reads as a restart.
    ///
    /// A sum of fractions keeps the precision that it had before: after 1e20, adding
    /// 0.5 changes nothing.
    pub fn reset(&self) {
        self.keep_visible();
        self.unset();
    }

    /// Returns the counter's labels and value now.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Counter(self.get()))
    }

    fn count(&self) -> Count {
        self.0.cell.load()
    }

    /// Adds a number, or counts it as invalid and returns false.
    #[inline]
    fn add(&self, amount: impl Amount) -> bool {
        match split(amount) {
            Split::Whole(whole) => self.0.cell.add(whole),
            Split::Real(real) if real >= 0.0 && real.is_finite() => self.0.cell.add_f64(real),
            Split::Real(_) => {
                self.0.shared.invalid.add(1);
                return false;
            }
        }
        true
    }
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("value", &self.get())
            .finish_non_exhaustive()
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl Instrument for Counter {
    type Cell = CounterCell;
    type Settings = ();
    const KIND: Kind = Kind::Counter;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> CounterCell {
        CounterCell::default()
    }

    fn values((): &(), series: usize) -> Values {
        Values::Counter(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<CounterCell, ()>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<CounterCell, ()>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Counter(counts) = values {
            counts.push(self.count());
        }
    }

    fn total(&self) -> f64 {
        self.get()
    }

    fn reset_value(&self) {
        self.reset();
    }

    fn unset(&self) {
        self.0.cell.reset();
        self.0.restart();
    }

    fn is_unset(&self) -> bool {
        self.count() == Count::default()
    }
}
