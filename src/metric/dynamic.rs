//! A family whose labels are chosen at run time.

use std::sync::Arc;

use crate::metric::buckets::Buckets;
use crate::metric::family_info::FamilyInfo;
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
use crate::metric::label::Label;
#[cfg(feature = "llm")]
use crate::metric::label_rule::OverflowReason;
use crate::metric::set::SeriesSet;

/// The largest number of labels of a [`DynFamily`].
pub(crate) const MAX_LABELS: usize = 24;

/// A metric with labels, like a [`Family`](crate::metric::Family), whose labels are chosen at
/// run time.
pub(crate) struct DynFamily<M: Instrument> {
    set: Arc<SeriesSet<M>>,
    order: LabelOrder,
}

/// For each label of a set, its index in the caller's values.
struct LabelOrder(Box<[usize]>);

impl<M: Instrument> DynFamily<M> {
    /// Creates a handle that takes values in the order of `labels`, which are those of the set,
    /// at most [`MAX_LABELS`].
    pub(crate) fn new(set: Arc<SeriesSet<M>>, labels: &[Label<'_>]) -> Self {
        let order = LabelOrder::new(set.info(), labels);
        Self { set, order }
    }

    /// Returns the series with these values, and creates it if it does not exist. Values that
    /// are over the limit are replaced by the overflow value.
    ///
    /// Takes a lock and allocates only if the series is created.
    pub(crate) fn get_or_create(&self, values: &mut [&str]) -> M {
        self.with_ref(values, |series, _| series.clone())
    }

    /// Calls `record` with the series that [`get_or_create`](Self::get_or_create) returns, without
    /// cloning a handle, and with its values.
    pub(crate) fn with_ref<'a, 'v, T>(
        &self,
        values: &'v mut [&'a str],
        record: impl FnOnce(&M, &'v mut [&'a str]) -> T,
    ) -> T {
        let requested = self.order.sort(values);
        let mut admitted = requested;
        let labels = self.order.len();
        let (requested, all) = (&requested[..labels], &mut admitted[..labels]);
        self.set
            .with_series_slow(requested, all, |series, admitted| {
                self.order.restore(admitted, values);
                record(series, values)
            })
    }

    /// Returns the series with these values, if it exists.
    #[cfg(feature = "llm")]
    pub(crate) fn find(&self, values: &[&str]) -> Option<M> {
        let values = self.order.sort(values);
        self.set.find(&values[..self.order.len()])
    }

    /// Returns true if a label has this value in some series, or if the value was declared.
    #[cfg(feature = "llm")]
    pub(crate) fn has_value(&self, label: &str, value: &str) -> bool {
        self.set.has_value(label, value)
    }

    /// Admits a new value of a label from a share of the limit (`1 / divisor` of it). Returns
    /// false if the share or the limit is used up.
    #[cfg(feature = "llm")]
    pub(crate) fn admit_from_share(&self, label: &str, value: &str, divisor: usize) -> bool {
        self.set.admit_from_share(label, value, divisor)
    }

    /// Counts that the caller replaced a value of a label by the overflow value.
    #[cfg(feature = "llm")]
    pub(crate) fn count_overflow(&self, label: &str, reason: OverflowReason) {
        self.set.count_overflow(label, reason);
    }

    /// Creates the series with these values, which count against no limit.
    pub(crate) fn declare(&self, values: &[&str]) {
        let values = self.order.sort(values);
        let lists: Vec<_> = values[..self.order.len()].chunks(1).collect();
        self.set.declare(&lists);
    }

    /// Allows a value of a label that counts against no limit.
    pub(crate) fn declare_value(&self, label: &str, value: &str) {
        self.set.declare_value(label, value);
    }

    /// Sets how many distinct values the open labels may have together.
    pub(crate) fn limit(&self, values: usize) {
        self.set.info().limits().set_limit(values);
    }

    /// Sets the limit unless it was set before.
    #[cfg(feature = "llm")]
    pub(crate) fn limit_if_unset(&self, values: usize) {
        self.set.info().limits().set_limit_if_unset(values);
    }

    /// Returns the address of the set, which all handles of the family share.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.set).addr()
    }
}

impl LabelOrder {
    fn new(info: &FamilyInfo, labels: &[Label<'_>]) -> Self {
        let indexes = (0..labels.len()).map(|label| info.caller_index(label, labels));
        Self(indexes.collect())
    }

    /// Returns the number of labels.
    fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the caller's values in the order of the set, followed by empty ones.
    fn sort<'a>(&self, values: &[&'a str]) -> [&'a str; MAX_LABELS] {
        let mut sorted = [""; MAX_LABELS];
        for (value, index) in sorted.iter_mut().zip(&self.0) {
            *value = values[*index];
        }
        sorted
    }

    /// Stores values in the caller's order.
    fn restore<'a>(&self, sorted: &[&'a str], values: &mut [&'a str]) {
        for (value, index) in sorted.iter().zip(&self.0) {
            values[*index] = value;
        }
    }
}

impl DynFamily<Histogram> {
    /// Sets the buckets of the series that have this value of a label.
    pub(crate) fn buckets_for(&self, label: &str, value: &str, buckets: Buckets) {
        self.set.set_settings_for(label, value, buckets);
    }
}
