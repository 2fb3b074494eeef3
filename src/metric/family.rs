//! A name and its series: one for each set of label values.

use std::array;
use std::fmt;
use std::sync::Arc;

use crate::metric::buckets::Buckets;
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
use crate::metric::set::SeriesSet;
use crate::snapshot::Labels;

/// A metric with labels: one series for each set of their values.
///
/// `M` is a [`Counter`](crate::metric::Counter), a
/// [`Gauge`](crate::metric::Gauge) or a
/// [`Histogram`](crate::metric::Histogram), `N` the number of labels, so that
/// the compiler checks that each call gives all of them. A clone is the same
/// family.
///
/// ```
/// use tachometer::Registry;
///
/// let registry = Registry::new();
/// let mails = registry.counter_family("mails_total", "Mails sent.", ["kind", "result"])?;
/// mails.with(["welcome", "sent"]).inc();
/// mails.with(["welcome", "bounced"]).inc_by(2);
/// # Ok::<(), tachometer::Error>(())
/// ```
#[expect(private_bounds, reason = "only this crate's metrics are instruments")]
pub struct Family<M: Instrument, const N: usize> {
    set: Arc<SeriesSet<M>>,
    /// Where each label of the series' text stands in what `with` is given,
    /// since whoever asks for the family again may name them in another order.
    order: [usize; N],
    /// Where the values stand in the series' text; see [`Labels::value_offsets`].
    value_offsets: [usize; N],
}

#[expect(private_bounds, reason = "only this crate's metrics are instruments")]
impl<M: Instrument, const N: usize> Family<M, N> {
    /// Makes a handle that takes its values in the order of `names`, which are
    /// the set's own.
    pub(crate) fn new(set: Arc<SeriesSet<M>>, names: [&str; N]) -> Self {
        let order = array::from_fn(|label| {
            let name = set.label_names().get(label).map(|name| &**name);
            names
                .iter()
                .position(|asked| Some(*asked) == name)
                .unwrap_or(label)
        });
        let value_offsets = Labels::value_offsets(set.constant_labels(), set.label_names());
        Self {
            set,
            order,
            value_offsets,
        }
    }

    /// Returns the series with these label values, in the order in which the
    /// names were given; it is made on its first use.
    ///
    /// Finding it takes no lock and no memory. Keep what it returns where one
    /// series is recorded often. Calling this ahead of the first record makes the
    /// series show as 0 from the start.
    pub fn with(&self, values: [&str; N]) -> M {
        self.with_ref(values, M::clone)
    }

    /// Lends the series with these label values to `record`, and returns what that
    /// returns; the series is made on its first use.
    ///
    /// It is [`with`](Self::with) for recording once: no handle is made, whose
    /// reference count all threads would change.
    ///
    /// ```
    /// # use tachometer::{Counter, Registry};
    /// let registry = Registry::new();
    /// let mails = registry.counter_family("mails_total", "Mails sent.", ["kind"])?;
    /// mails.with_ref(["welcome"], Counter::inc);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[inline]
    pub fn with_ref<T>(&self, values: [&str; N], record: impl FnOnce(&M) -> T) -> T {
        record(
            self.set
                .get_or_create(self.in_order(values), &self.value_offsets),
        )
    }

    /// Lets the family's [open](crate::Label::open) labels have `values` distinct
    /// values together, instead of 2,000, and ten times as many combinations.
    ///
    /// Past either number a series is not made; what would be recorded in it is
    /// recorded in one whose open labels have the value `_overflow` instead, so
    /// that sums stay right. The registry then shows how often, as
    /// `tachometer_series_overflow_total`, and a warning names the label once.
    /// Values that have a series keep it.
    #[must_use = "this returns the family"]
    pub fn limit(self, values: usize) -> Self {
        self.set.limits().set_limit(values);
        self
    }

    /// Names values that the labels are going to have, a list for each label in
    /// the order in which the names were given, and makes all combinations of
    /// them, so that they show as 0 from the start.
    ///
    /// However many values come besides, these keep their name: they do not count
    /// against the [limit](Self::limit).
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let mails = registry
    ///     .counter_family("mails_total", "Mails sent.", ["kind", "result"])?
    ///     .declare([&["welcome", "invoice"], &["sent", "bounced"]]);
    /// assert_eq!(registry.get("mails_total").unwrap().series(), 4);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use = "this returns the family"]
    pub fn declare(self, values: [&[&str]; N]) -> Self {
        self.set.declare(&self.in_order(values));
        self
    }

    /// Takes the series with these label values out of scrapes, and returns
    /// whether it was there and is no longer: false where another thread uses it at
    /// the same moment. Two threads that remove it at once may both be told true.
    ///
    /// Whoever uses it next, by its values or by a handle that was kept, brings it
    /// back, beginning at zero. Adding 0 to a kept counter is not a use.
    ///
    /// Its memory is kept for when it comes back, and its values go on counting
    /// against the [limit](Self::limit).
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let depth = registry.gauge_family("queue_depth", "Jobs that wait.", ["queue"])?;
    /// let mails = depth.with(["mails"]);
    /// mails.set(3);
    /// assert!(depth.remove(["mails"]));
    /// assert_eq!(registry.export_prometheus().contains("mails"), false);
    ///
    /// mails.inc();
    /// assert!(registry.export_prometheus().contains("queue_depth{queue=\"mails\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn remove(&self, values: [&str; N]) -> bool {
        self.set.remove(&self.in_order(values))
    }

    /// Returns what was given for each label in the order of the set.
    #[inline]
    fn in_order<T: Copy>(&self, given: [T; N]) -> [T; N] {
        self.order.map(|label| given[label])
    }
}

impl<const N: usize> Family<Histogram, N> {
    /// Gives the series whose `label` has this `value` buckets of their own, instead
    /// of the family's. A series that was made before keeps what it has, and so does a
    /// value that was given buckets before.
    ///
    /// ```
    /// # use tachometer::{Buckets, Registry};
    /// let registry = Registry::new();
    /// let seconds = registry
    ///     .histogram_family("job_seconds", "Time a job took.", ["job"])?
    ///     .buckets_for("job", "nightly", Buckets::new(&[60.0, 600.0, 3_600.0])?);
    /// seconds.with(["nightly"]).observe(500.0);
    /// assert!(registry.export_prometheus().contains("{job=\"nightly\",le=\"600.0\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use = "this returns the family"]
    pub fn buckets_for(self, label: &str, value: &str, buckets: Buckets) -> Self {
        self.set.set_settings_for(label, value, buckets);
        self
    }
}

impl<M: Instrument, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self {
            set: Arc::clone(&self.set),
            order: self.order,
            value_offsets: self.value_offsets,
        }
    }
}

impl<M: Instrument, const N: usize> fmt::Debug for Family<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.set.fmt_handle("Family", f)
    }
}
