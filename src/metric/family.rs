//! A metric with labels.

use std::array;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::metric::buckets::Buckets;
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
use crate::metric::label::Label;
use crate::metric::set::SeriesSet;
use crate::snapshot::Labels;

/// A metric with labels: one series for each set of label values.
///
/// `M` is a [`Counter`](crate::metric::Counter), a [`Gauge`](crate::metric::Gauge) or a
/// [`Histogram`]. `N` is the number of labels, so the compiler checks that each call passes all
/// values. A clone is the same family.
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
#[doc(alias = "labels")]
#[doc(alias = "vec")]
pub struct Family<M: Instrument, const N: usize> {
    set: Arc<SeriesSet<M>>,
    /// For each label of the set, its index in the caller's values. `None` if the orders are
    /// the same, which saves a copy of the values in each lookup.
    order: Option<[usize; N]>,
    /// Where the values are in the series' text; see [`Labels::value_offsets`].
    value_offsets: [usize; N],
}

impl<M: Instrument, const N: usize> Family<M, N> {
    /// Creates a handle that takes values in the order of `labels`, which are those of the set.
    pub(crate) fn new(set: Arc<SeriesSet<M>>, labels: &[Label<'_>; N]) -> Self {
        let info = set.info();
        let order: [usize; N] = array::from_fn(|label| info.caller_index(label, labels));
        let is_same_order = order.iter().copied().eq(0..N);
        let value_offsets = Labels::value_offsets(info.constant_labels(), info.label_names());
        Self {
            set,
            order: (!is_same_order).then_some(order),
            value_offsets,
        }
    }

    /// Returns the series with these label values, in the order of the label names. The first
    /// call creates it.
    ///
    /// Finding a series takes no lock and does not allocate. Keep the returned handle if one
    /// series is recorded often. A series that is created before anything is recorded in it is
    /// exported as 0.
    #[doc(alias = "get_or_create")]
    #[doc(alias = "with_label_values")]
    pub fn with(&self, values: [&str; N]) -> M {
        self.with_ref(values, M::clone)
    }

    /// Calls `record` with the series with these label values, and returns its result. The
    /// first call creates the series.
    ///
    /// Use it instead of [`with`](Self::with) to record once: it clones no handle, whose
    /// reference count all threads would contend for.
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
        self.set
            .with_series(self.in_set_order(values), &self.value_offsets, record)
    }

    /// Does what [`with_ref`](Self::with_ref) does, and finds the series by the addresses of the
    /// values instead of their text. Use it for literals.
    ///
    /// The first call for each set of addresses finds the series by the text, which may take a
    /// lock and allocate. The same text at other addresses is the same series. The family keeps
    /// up to four sets of addresses per series. Beyond that, with more than four labels, for
    /// values longer than 64 KiB, and for values that became `_overflow`, this takes longer than
    /// `with_ref`. So do not leak strings to call it. Once series were removed, and in a family
    /// whose series expire, it is not faster than `with_ref`.
    ///
    /// ```
    /// # use tachometer::{Counter, Registry};
    /// let registry = Registry::new();
    /// let mails = registry.counter_family("mails_total", "Mails sent.", ["kind", "result"])?;
    /// mails.with_static(["welcome", "sent"], Counter::inc);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[inline]
    pub fn with_static<T>(&self, values: [&'static str; N], record: impl FnOnce(&M) -> T) -> T {
        self.set
            .with_static_series(self.in_set_order(values), &self.value_offsets, record)
    }

    /// Sets how many distinct values the family's [open](crate::Label::open) labels may have
    /// together; the default is 2,000. Ten times as many combinations are allowed.
    ///
    /// Past either number no series is created. Values are recorded in a series whose open
    /// labels have the value `_overflow` instead, so that sums stay right. The registry
    /// exports how often as `tachometer_series_overflow_total`, and logs one warning that
    /// names the label. Existing series stay.
    #[doc(alias = "cardinality")]
    #[must_use = "this returns the family"]
    pub fn limit(self, values: usize) -> Self {
        self.set.info().limits().set_limit(values);
        self
    }

    /// Declares label values, a list for each label in the order of the label names, and
    /// creates the series of all combinations, which are exported as 0.
    ///
    /// Declared values do not count against the [limit](Self::limit), and never become
    /// `_overflow`.
    #[doc(alias = "init")]
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
        self.set.declare(&self.in_set_order(values));
        self
    }

    /// Removes series in which nothing was recorded for this time. The default is never.
    ///
    /// A series expires when a scrape by the router or an export by `push::Otlp` reads it, if two
    /// conditions are met. These reads have seen the same value for this time, and a complete one
    /// contained that value. Recording through a handle takes no more time. Lookups take longer, as after
    /// [removals](Self::remove).
    ///
    /// A scrape is complete if it is in a Prometheus format and the connection took the response to
    /// its end, an export if the receiver accepted all its requests. Without such reads nothing
    /// expires: the page, JSON, [`Registry::gather`](crate::Registry::gather) and
    /// [`Registry::export`](crate::Registry::export) do not count. The first reader of a value
    /// satisfies the second condition for all readers. With several readers, use at least five
    /// times the longest interval of a scrape or an export. A push to a Pushgateway is like an
    /// export.
    ///
    /// An expired series is [removed](Self::remove): it frees its memory and its part of the
    /// [limit](Self::limit) as soon as no handle to it is held. The next use starts at zero with a
    /// new creation time. In Prometheus the series becomes stale with the first scrape that lacks
    /// it, so instant queries no longer return it. If it returns while the range of a query still
    /// has its old samples, `rate` and `increase` see a counter reset, unless the first new value
    /// is at least as high as the last old one. Otherwise they miss what was recorded before the
    /// first scrape of the new series.
    ///
    /// [Declared](Self::declare) series and the series of replaced values (`_overflow`) never
    /// expire. Setting a gauge to the same number and adding 0 to a gauge are uses; adding 0 to a
    /// counter is not. `tachometer_series_expired_total` counts the series that expired.
    ///
    /// Call it before the first series is created. Otherwise the series that already exist keep
    /// their memory until the family is dropped. All handles to the family share the time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let requests = registry
    ///     .counter_family("tenant_requests_total", "Requests of a tenant.", ["tenant"])?
    ///     .expire_after(Duration::from_secs(15 * 60));
    /// requests.with_ref(["acme"], |requests| requests.inc());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[doc(alias = "ttl")]
    #[doc(alias = "idle_timeout")]
    #[must_use = "this returns the family"]
    pub fn expire_after(self, unused: Duration) -> Self {
        self.set.expire_after(unused);
        self
    }

    /// Removes the series with these label values from scrapes. Returns false if there is no
    /// visible series with these values, or if another thread records in it at the same time. If
    /// two threads remove it at the same time, both calls may return true.
    ///
    /// Looking it up in the family, or recording through a handle, makes it visible again, starting
    /// at zero. Adding 0 to a counter through a handle does not.
    ///
    /// A removed series stops counting against the [limit](Self::limit) at once if no handle to it
    /// exists, and else after its last handle is dropped. Later scrapes free its memory, in batches
    /// of at least 16 series. [Declared](Self::declare) series keep their memory.
    ///
    /// When at least 16 series, and more than half of the family, are removed, the family switches
    /// to a list whose series can be freed. Lookups then take longer. Series that were created
    /// before the switch keep their memory until the family is dropped. To avoid that, call
    /// [`expire_after`](Self::expire_after) before the first series is created.
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let depth = registry.gauge_family("queue_depth", "Jobs in the queue.", ["queue"])?;
    /// let mails = depth.with(["mails"]);
    /// mails.set(3);
    /// assert!(depth.remove(["mails"]));
    /// assert_eq!(registry.export_prometheus().contains("mails"), false);
    ///
    /// mails.inc();
    /// assert!(registry.export_prometheus().contains("queue_depth{queue=\"mails\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[doc(alias = "delete")]
    pub fn remove(&self, values: [&str; N]) -> bool {
        self.set.remove(&self.in_set_order(values))
    }

    /// [Removes](Self::remove) the series for which `keep` returns false. It is called with the
    /// label values of each visible series, in the order of the label names, and with the series.
    ///
    /// No lock is held while `keep` runs, so it may record metrics. What other threads record in a
    /// series after `keep` returned false for it is removed, too, or makes it visible again.
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let depth = registry.gauge_family("queue_depth", "Jobs in the queue.", ["queue"])?;
    /// depth.with(["mails"]).set(3);
    /// depth.with(["images"]).set(0);
    /// depth.retain(|_, depth| depth.get() > 0.0);
    /// assert_eq!(registry.get("queue_depth").unwrap().series(), 1);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn retain(&self, mut keep: impl FnMut([&str; N], &M) -> bool) {
        self.set
            .retain(|series| self.with_values(series, |values| keep(values, series)));
    }

    /// Calls `visit` with the label values of each visible series, in the order of the label
    /// names, and with the series. Series whose values were replaced are included, with the value
    /// `_overflow`.
    ///
    /// No lock is held while `visit` runs, so it may record metrics. Series that are created
    /// meanwhile may be left out.
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let mails = registry.counter_family("mails_total", "Mails sent.", ["kind", "result"])?;
    /// mails.with(["welcome", "sent"]).inc_by(3);
    /// mails.with(["welcome", "bounced"]).inc();
    /// let mut bounced = 0;
    /// mails.for_each(|[_, result], mails| {
    ///     if result == "bounced" {
    ///         bounced += mails.get_u64();
    ///     }
    /// });
    /// assert_eq!(bounced, 1);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[doc(alias = "iter")]
    #[doc(alias = "series")]
    pub fn for_each(&self, mut visit: impl FnMut([&str; N], &M)) {
        self.set
            .for_each_visible(|series| self.with_values(series, |values| visit(values, series)));
    }

    /// Calls `run` with the label values of a series, in the caller's order.
    fn with_values<T>(&self, series: &M, run: impl FnOnce([&str; N]) -> T) -> T {
        let labels = &series.handle().series().labels;
        let mut values = [const { Cow::Borrowed("") }; N];
        for (label, value) in self.set.info().values_of(labels).enumerate() {
            let index = self.order.map_or(label, |order| order[label]);
            values[index] = value;
        }
        run(values.each_ref().map(|value| &**value))
    }

    #[inline]
    fn in_set_order<T: Copy>(&self, values: [T; N]) -> [T; N] {
        match self.order {
            None => values,
            Some(order) => order.map(|label| values[label]),
        }
    }
}

impl<const N: usize> Family<Histogram, N> {
    /// Sets the buckets of the series that have this `value` of a `label`, instead of the
    /// family's buckets.
    ///
    /// Existing series keep their buckets. The first call for a value wins.
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
