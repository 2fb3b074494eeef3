//! A family whose number of labels is known when it is made, and not before.

use std::sync::Arc;

use crate::metric::buckets::Buckets;
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
#[cfg(feature = "llm")]
use crate::metric::label_rule::OverflowReason;
use crate::metric::set::SeriesSet;

/// So many labels such a family may have.
pub(crate) const MAX_LABELS: usize = 24;

/// A metric with labels, like a [`Family`](crate::metric::Family), whose labels are
/// chosen at run time.
pub(crate) struct DynFamily<M: Instrument> {
    set: Arc<SeriesSet<M>>,
    /// Where each label of the set stands in what is given.
    order: Box<[usize]>,
}

impl<M: Instrument> DynFamily<M> {
    /// Makes a handle that takes its values in the order of `names`, which are the
    /// set's own and no more than [`MAX_LABELS`].
    pub(crate) fn new(set: Arc<SeriesSet<M>>, names: &[&str]) -> Self {
        let place = |name: &str| names.iter().position(|asked| *asked == name);
        let own = set.label_names().iter();
        let order = own.filter_map(|name| place(name)).collect();
        Self { set, order }
    }

    /// Returns the series with these values, and makes it where there is none; a
    /// value that the limit refuses is replaced by the overflow's.
    ///
    /// It takes neither lock nor memory, unless the series is made.
    pub(crate) fn get_or_create(&self, values: &mut [&str]) -> &M {
        let (mut asked, mut own) = ([""; MAX_LABELS], [""; MAX_LABELS]);
        for (at, place) in self.order.iter().enumerate() {
            asked[at] = values[*place];
            own[at] = values[*place];
        }
        let labels = self.order.len();
        let series = self
            .set
            .get_or_create_slow(&asked[..labels], &mut own[..labels]);
        for (at, place) in self.order.iter().enumerate() {
            values[*place] = own[at];
        }
        series
    }

    /// Returns the series with these values, if there is one.
    #[cfg(feature = "llm")]
    pub(crate) fn find(&self, values: &[&str]) -> Option<&M> {
        let mut own = [""; MAX_LABELS];
        for (at, place) in self.order.iter().enumerate() {
            own[at] = values[*place];
        }
        self.set.find(&own[..self.order.len()])
    }

    /// Returns true if a label has this value in some series, or it was declared.
    #[cfg(feature = "llm")]
    pub(crate) fn has_value(&self, label: &str, value: &str) -> bool {
        self.set.has_value(label, value)
    }

    /// Lets a label have a new value out of a share of the limit, one part in `parts`.
    /// Returns false if the share or the limit is used up.
    #[cfg(feature = "llm")]
    pub(crate) fn admit_from_share(&self, label: &str, value: &str, parts: usize) -> bool {
        self.set.admit_from_share(label, value, parts)
    }

    /// Counts that a value of a label was replaced by the overflow's before it came here.
    #[cfg(feature = "llm")]
    pub(crate) fn count_overflow(&self, label: &str, cause: OverflowReason) {
        self.set.count_overflow(label, cause);
    }

    /// Makes the series with these values, which count against no limit.
    pub(crate) fn declare(&self, values: &[&str]) {
        let own: Vec<_> = self.order.iter().map(|place| [values[*place]]).collect();
        let lists: Vec<_> = own.iter().map(|value| &value[..]).collect();
        self.set.declare(&lists);
    }

    /// Lets a label have a value that counts against no limit.
    pub(crate) fn declare_value(&self, label: &str, value: &str) {
        self.set.declare_value(label, value);
    }

    /// Lets the open labels have so many distinct values together.
    pub(crate) fn limit(&self, values: usize) {
        self.set.limits().set_limit(values);
    }

    /// Does so unless the family has a limit already that someone has chosen.
    #[cfg(feature = "llm")]
    pub(crate) fn limit_if_unset(&self, values: usize) {
        self.set.limits().set_limit_if_unset(values);
    }

    /// Returns where the family's series are, which is the same for all handles.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.set).addr()
    }
}

impl DynFamily<Histogram> {
    /// Gives the series whose `label` has this `value` buckets of their own.
    pub(crate) fn buckets_for(&self, label: &str, value: &str, buckets: Buckets) {
        self.set.set_settings_for(label, value, buckets);
    }
}
