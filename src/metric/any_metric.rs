//! A registered metric of any kind.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "dashboard")]
use crate::metric::buckets::Buckets;
#[cfg(feature = "dashboard")]
use crate::metric::histogram::Histogram;
use crate::metric::instrument::Instrument;
use crate::metric::limits::Limits;
use crate::metric::set::{ReadId, SeriesCursor, SeriesSet};
use crate::snapshot::{Desc, Kind, Labels, Role, SeriesBlock};

/// A registered metric of any kind, with all its series.
#[derive(Clone)]
pub struct Metric {
    /// At least one. There are several if handles of the registry with different constant
    /// labels, or several registries, use the name.
    sets: Arc<[Arc<dyn AnySet>]>,
}

impl Metric {
    /// Creates a metric from at least one set; all have the same name.
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

    /// Returns the help text that it was first registered with.
    #[must_use]
    pub fn help(&self) -> &str {
        self.desc().help()
    }

    /// Returns whether it is a counter, a gauge or a histogram.
    #[doc(alias = "type")]
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.desc().kind()
    }

    /// Returns its role, if it is one of this crate's metrics that the page, the dashboards or
    /// the alert rules use.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.desc().role()
    }

    /// Returns the names of its labels, without the registry's constant labels. If another library
    /// creates the series, these are the names of all series together. If a collector computes
    /// them, the names are not known, and the list is empty.
    #[must_use]
    pub fn label_names(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for name in self.sets.iter().flat_map(|set| set.all_label_names()) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// Returns the number of its series.
    #[doc(alias = "cardinality")]
    #[must_use]
    pub fn series(&self) -> usize {
        self.sets.iter().map(|set| set.len()).sum()
    }

    /// Returns the sum of its series; for a histogram, the number of observations.
    #[must_use]
    pub fn value(&self) -> f64 {
        // Not `sum`, which returns -0 if there is no series.
        let totals = self.sets.iter().map(|set| set.total());
        totals.fold(0.0, |sum, total| sum + total)
    }

    /// Resets all its series to zero. Gauges of what is in flight, such as
    /// `http_requests_in_flight`, are not reset.
    pub fn reset(&self) {
        self.sets.iter().for_each(|set| set.reset());
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        desc_of(&self.sets, |set| set)
    }

    /// Returns the constant labels of the first series. They are not part of
    /// [`label_names`](Self::label_names). Series that were registered through another handle can
    /// have other values.
    pub(crate) fn constant_labels(&self) -> &Labels {
        self.sets[0].constant_labels()
    }

    /// Returns true if it is a histogram with exponential buckets in some series.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_native(&self) -> bool {
        let mut sets = self.sets.iter().filter_map(set_of::<Histogram>);
        sets.any(|set| set.has_settings(Buckets::has_native))
    }

    /// Returns how many values its series rejected.
    pub(crate) fn invalid_count(&self) -> u64 {
        self.sets.iter().map(|set| set.invalid_count()).sum()
    }

    /// Returns how often a caller got an overflow series instead of the one that it asked for,
    /// or `None` if no label has a limit.
    pub(crate) fn overflowed_lookups(&self) -> Option<u64> {
        let counts = self.sets.iter().filter_map(|set| set.overflowed_lookups());
        counts.reduce(|sum, count| sum + count)
    }

    /// Returns how many of its series have expired, or `None` if they do not expire.
    pub(crate) fn expired_series(&self) -> Option<u64> {
        let counts = self.sets.iter().filter_map(|set| set.expired_count());
        counts.reduce(|sum, count| sum + count)
    }

    /// Returns true if its series are instruments of type `M`.
    pub(crate) fn has_instrument<M: Instrument>(&self) -> bool {
        self.sets.iter().any(|set| set_of::<M>(set).is_some())
    }
}

/// Returns the description of a metric: that of the first of its sets that has a help text, or of the
/// first one. There must be one. A help text may be filled in for one set only.
pub(crate) fn desc_of<S>(sets: &[S], set: impl Fn(&S) -> &Arc<dyn AnySet>) -> &Arc<Desc> {
    let mut descs = sets.iter().map(|one| set(one).desc());
    let described = descs.find(|desc| !desc.help().is_empty());
    described.unwrap_or_else(|| set(&sets[0]).desc())
}

/// Downcasts a set to one of instruments of type `M`.
pub(crate) fn set_of<M: Instrument>(set: &Arc<dyn AnySet>) -> Option<Arc<SeriesSet<M>>> {
    downcast_set(set)
}

/// Downcasts a set.
pub(crate) fn downcast_set<S: AnySet>(set: &Arc<dyn AnySet>) -> Option<Arc<S>> {
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

/// A [`SeriesSet`] of any instrument, or the values of a collector.
pub(crate) trait AnySet: Any + Send + Sync {
    fn desc(&self) -> &Arc<Desc>;
    /// Returns the label names that all series have.
    fn label_names(&self) -> &[Box<str>];
    /// Returns all label names that occur. They differ from [`label_names`](Self::label_names) if
    /// series have different ones.
    fn all_label_names(&self) -> Vec<&str> {
        self.label_names().iter().map(|name| &**name).collect()
    }
    /// Returns the library that creates the series, which may have different label names; `None`
    /// if handles of this crate create them, or a collector.
    fn library(&self) -> Option<&'static str> {
        None
    }
    /// Returns the constant labels, which are not among `label_names`.
    fn constant_labels(&self) -> &Labels;
    /// Returns the limits of its labels; `None` if a collector chooses the labels.
    fn limits(&self) -> Option<&Limits>;
    /// Returns how often a caller got an overflow series instead of the one that it asked for, or
    /// `None` if no label has a limit.
    fn overflowed_lookups(&self) -> Option<u64> {
        let limits = self.limits().filter(|limits| limits.is_limited());
        limits.map(Limits::overflow_count)
    }
    fn len(&self) -> usize;
    fn invalid_count(&self) -> u64;
    /// Reads up to [`SeriesBlock::MAX_SERIES`] series from `cursor` on, and moves it past them.
    /// Returns `None` at the end.
    fn block(&self, cursor: &mut SeriesCursor) -> Option<SeriesBlock>;
    fn total(&self) -> f64;
    fn reset(&self);
    /// Removes the expired series before a read whose result is delivered. Returns true if the
    /// series can expire, and [`deliver`](Self::deliver) is to be called.
    fn expire(&self, read: ReadId) -> bool;
    /// Records that a read was delivered.
    fn deliver(&self, read: ReadId);
    /// Returns how many series have expired, or `None` if they do not expire.
    fn expired_count(&self) -> Option<u64>;
}

impl<M: Instrument> AnySet for SeriesSet<M> {
    fn desc(&self) -> &Arc<Desc> {
        self.info().desc()
    }

    fn label_names(&self) -> &[Box<str>] {
        self.info().label_names()
    }

    fn constant_labels(&self) -> &Labels {
        self.info().constant_labels()
    }

    fn limits(&self) -> Option<&Limits> {
        Some(self.info().limits())
    }

    fn len(&self) -> usize {
        let mut len = 0;
        self.for_each_visible(|_| len += 1);
        len
    }

    fn invalid_count(&self) -> u64 {
        self.invalid_count()
    }

    fn block(&self, cursor: &mut SeriesCursor) -> Option<SeriesBlock> {
        self.block(cursor)
    }

    fn total(&self) -> f64 {
        let mut total = 0.0;
        self.for_each_visible(|series| total += series.handle().total());
        total
    }

    fn reset(&self) {
        self.for_each_visible(|series| series.handle().reset());
    }

    fn expire(&self, read: ReadId) -> bool {
        self.expire(read)
    }

    fn deliver(&self, read: ReadId) {
        self.deliver(read);
    }

    fn expired_count(&self) -> Option<u64> {
        self.expired_count()
    }
}
