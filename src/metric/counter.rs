//! A sum that only grows.

use std::fmt;

use crate::cell::CounterCell;
use crate::metric::amount::{Amount, Number, to_f64, to_number};
use crate::metric::handle::{CellActivity, Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::snapshot::{Count, Kind, SeriesSnapshot, SeriesValue, Values};

/// A sum that only grows: requests, errors, bytes.
///
/// A clone is the same counter. See the [module](crate::metric) for an example.
#[derive(Clone)]
pub struct Counter(Handle<CounterCell>);

impl Counter {
    /// Creates a counter without a name. No registry shows it until
    /// [`Registry::register`](crate::registry::Registry::register) gives it one.
    #[must_use]
    pub fn new() -> Self {
        Self(Handle::standalone(()))
    }

    /// Adds 1.
    #[inline]
    pub fn inc(&self) {
        self.0.cell().add(1);
    }

    /// Adds a number. A negative or infinite number or NaN is ignored and counted as invalid.
    ///
    /// Integers up to `u64::MAX` are added exactly. Their sum wraps to 0 at 2^64, which
    /// Prometheus reads as a restart, so rates stay right. Other numbers are added as `f64`
    /// and saturate at the largest `f64`.
    #[doc(alias = "add")]
    pub fn inc_by(&self, amount: impl Amount) {
        self.add(amount);
    }

    /// Adds a number as [`inc_by`](Self::inc_by) does, and stores it as the counter's
    /// exemplar with these labels, such as a trace ID.
    ///
    /// A new exemplar replaces the previous one. It is dropped while another thread stores
    /// or reads an exemplar of the same metric. Labels with a name that is not valid, or with
    /// more than 128 characters in all names and values (the limit of OpenMetrics), are
    /// ignored and counted as invalid; the number is still added.
    ///
    /// OpenMetrics text leaves out an exemplar with a `"` in a label's value, since one widely
    /// used parser (Python's `prometheus_client`) fails the whole scrape because of it. Protobuf
    /// includes it (test: `tests/it/formats/exemplars.rs`).
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
    #[doc(alias = "trace")]
    pub fn inc_with_exemplar(&self, amount: impl Amount, labels: &[(&str, &str)]) {
        if self.add(amount) {
            self.0.store_exemplar(0, to_f64(amount), labels);
        }
    }

    /// Returns the sum; above 2^53, the nearest `f64`.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.count().value()
    }

    /// Returns the exact sum of the whole numbers below 2^64 that were added.
    #[must_use]
    pub fn get_u64(&self) -> u64 {
        self.count().whole
    }

    /// Sets the sum to 0, which Prometheus reads as a restart.
    ///
    /// A reset does not restore the precision of a sum of fractions: after 1e20, adding 0.5
    /// changes nothing, even after a reset.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Returns the counter's labels and current value.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Counter(self.get()))
    }

    fn count(&self) -> Count {
        self.0.cell().load()
    }

    /// Adds a number, or counts it as invalid and returns false.
    #[inline]
    fn add(&self, amount: impl Amount) -> bool {
        match to_number(amount) {
            Number::Integer(integer) => self.0.cell().add(integer),
            Number::Float(float) if float >= 0.0 && float.is_finite() => {
                self.0.cell().add_f64(float);
            }
            Number::Float(_) => {
                self.0.count_invalid();
                return false;
            }
        }
        true
    }
}

/// Prints the value, but not the labels: their values may come from a client.
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

impl_as_handle!(Counter, CounterCell);

impl Instrument for Counter {}

impl MetricCell for CounterCell {
    type Settings = ();
    const KIND: Kind = Kind::Counter;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn empty_values((): &(), series: usize) -> Values {
        Values::Counter(Vec::with_capacity(series))
    }

    fn read(&self, (): &(), values: &mut Values) {
        if let Values::Counter(counts) = values {
            counts.push(self.load());
        }
    }

    fn total(&self, (): &()) -> f64 {
        self.load().value()
    }

    fn unset(&self, (): &()) {
        self.reset();
    }

    fn is_unset(&self, (): &()) -> bool {
        self.load() == Count::default()
    }

    fn activity(&self, (): &()) -> Option<CellActivity> {
        let count = self.load();
        Some(CellActivity {
            words: [count.whole, count.fraction.to_bits()],
            is_new: false,
        })
    }

    fn unset_if_unchanged(&self, (): &(), activity: &CellActivity) -> bool {
        let [whole, fraction] = activity.words;
        self.reset_if(Count {
            whole,
            fraction: f64::from_bits(fraction),
        })
    }
}
