//! A metric of any kind, as a registry holds it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "dashboard")]
use crate::metric::buckets::Buckets;
#[cfg(feature = "dashboard")]
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
use crate::metric::set::SeriesSet;
use crate::snapshot::{Desc, Kind, Labels, Role, SeriesBlock};

/// A registered metric of any kind: a name and all series under it.
#[derive(Clone)]
pub struct Metric {
    /// At least one; several if handles of the registry with different constant labels, or
    /// several registries, have metrics under the name.
    sets: Arc<[Arc<dyn AnySet>]>,
}

impl Metric {
    /// Makes one of sets under the same name; at least one.
    pub(crate) fn new(sets: impl IntoIterator<Item = Arc<dyn AnySet>>) -> Self {
        Self {
            sets: sets.into_iter().collect(),
        }
    }

    /// Returns the name under which it was registered.
    #[must_use]
    pub fn name(&self) -> &str {
        self.desc().name()
    }

    /// Returns its help text, the first one given.
    #[must_use]
    pub fn help(&self) -> &str {
        self.desc().help()
    }

    /// Returns what it measures.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.desc().kind()
    }

    /// Returns what it is there for, if it is one of the crate's own that the page, the
    /// boards or the rules look at.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.desc().role()
    }

    /// Returns the names of its labels; none for a metric without.
    #[must_use]
    pub fn label_names(&self) -> Vec<&str> {
        // A collector's set does not know its labels before it is read.
        let mut names = self.sets.iter().map(|set| set.label_names());
        let names = names.find(|names| !names.is_empty());
        names.into_iter().flatten().map(|name| &**name).collect()
    }

    /// Returns how many series it has.
    #[must_use]
    pub fn series(&self) -> usize {
        self.sets.iter().map(|set| set.len()).sum()
    }

    /// Returns the sum over its series; of a histogram the number of
    /// observations.
    #[must_use]
    pub fn value(&self) -> f64 {
        // Not `sum`, which is -0 of nothing.
        let totals = self.sets.iter().map(|set| set.total());
        totals.fold(0.0, |sum, total| sum + total)
    }

    /// Sets all its series back to zero, unless they say how much is under way,
    /// as the layer's `http_requests_in_flight` does.
    pub fn reset(&self) {
        self.sets.iter().for_each(|set| set.reset());
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        self.sets[0].desc()
    }

    /// Returns the constant labels of its first series, which are not among its
    /// [`label_names`](Self::label_names). Other series may have other values of them.
    pub(crate) fn constant_labels(&self) -> &Labels {
        self.sets[0].constant_labels()
    }

    /// Returns true if it is a histogram and some of its series have exponential buckets.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_native(&self) -> bool {
        let mut sets = self.sets.iter().filter_map(set_of::<Histogram>);
        sets.any(|set| set.has_settings(Buckets::has_native))
    }

    /// Returns how many values its series refused.
    pub(crate) fn invalid_count(&self) -> u64 {
        self.sets.iter().map(|set| set.invalid_count()).sum()
    }

    /// Returns how often a series was asked for and the overflow's was given, for
    /// families whose labels have a limit.
    pub(crate) fn overflow_count(&self) -> Option<u64> {
        let counts = self.sets.iter().filter_map(|set| set.overflow_count());
        counts.reduce(|sum, count| sum + count)
    }

    /// Returns true if it holds instruments of the kind `M`.
    pub(crate) fn contains<M: Instrument>(&self) -> bool {
        self.sets.iter().any(|set| set_of::<M>(set).is_some())
    }
}

/// Returns the set as one of instruments of the kind `M`, if it is one.
pub(crate) fn set_of<M: Instrument>(set: &Arc<dyn AnySet>) -> Option<Arc<SeriesSet<M>>> {
    let set: Arc<dyn Any + Send + Sync> = Arc::clone(set) as _;
    set.downcast().ok()
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metric")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .field("labels", &self.label_names())
            .finish_non_exhaustive()
    }
}

/// A family whatever it holds: a [`SeriesSet`], or what a collector computes.
pub(crate) trait AnySet: Any + Send + Sync {
    fn desc(&self) -> &Arc<Desc>;
    fn label_names(&self) -> &[Box<str>];
    /// Returns the labels that all its series have, besides those of `label_names`.
    fn constant_labels(&self) -> &Labels;
    fn len(&self) -> usize;
    fn invalid_count(&self) -> u64;
    fn overflow_count(&self) -> Option<u64>;
    /// Reads up to [`SeriesBlock::MAX_SERIES`] series from position `from` on, and moves
    /// that past them; returns `None` when there are no more.
    fn block(&self, from: &mut usize) -> Option<SeriesBlock>;
    fn total(&self) -> f64;
    fn reset(&self);
}

impl<M: Instrument> AnySet for SeriesSet<M> {
    fn desc(&self) -> &Arc<Desc> {
        self.desc()
    }

    fn label_names(&self) -> &[Box<str>] {
        self.label_names()
    }

    fn constant_labels(&self) -> &Labels {
        self.constant_labels()
    }

    fn len(&self) -> usize {
        self.iter().count()
    }

    fn invalid_count(&self) -> u64 {
        self.invalid_count()
    }

    fn overflow_count(&self) -> Option<u64> {
        let limits = self.limits();
        limits.is_limited().then(|| limits.overflow_count())
    }

    fn block(&self, from: &mut usize) -> Option<SeriesBlock> {
        self.block(from)
    }

    fn total(&self) -> f64 {
        // Not `sum`, which is -0 of nothing.
        self.iter().fold(0.0, |sum, series| sum + series.total())
    }

    fn reset(&self) {
        self.iter().for_each(Instrument::reset_value);
    }
}
