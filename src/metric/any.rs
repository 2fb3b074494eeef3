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
use crate::snapshot::{Block, Desc, Kind, Labels, Role};

/// A registered metric of any kind: a name and all series under it.
#[derive(Clone)]
pub struct Metric(Arc<dyn AnySet>);

impl Metric {
    pub(crate) fn new(set: Arc<dyn AnySet>) -> Self {
        Self(set)
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
        self.0.label_names().iter().map(|name| &**name).collect()
    }

    /// Returns how many series it has.
    #[must_use]
    pub fn series(&self) -> usize {
        self.0.len()
    }

    /// Returns the sum over its series; of a histogram the number of
    /// observations.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.0.total()
    }

    /// Sets all its series back to zero, unless they say how much is under way,
    /// as the layer's `http_requests_in_flight` does.
    pub fn reset(&self) {
        self.0.reset();
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        self.0.desc()
    }

    /// Returns the labels that all its series have, and which are not among its
    /// [`label_names`](Self::label_names).
    pub(crate) fn constant(&self) -> &Labels {
        self.0.constant()
    }

    /// Returns true when it is a histogram of which some series have exponential buckets.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_native(&self) -> bool {
        let set = self.set::<Histogram>();
        set.is_some_and(|set| set.has_settings(Buckets::has_native))
    }

    pub(crate) fn invalid(&self) -> u64 {
        self.0.invalid()
    }

    /// Returns how often a series was asked for and the overflow's was given, for
    /// families whose labels have a limit.
    pub(crate) fn overflowed(&self) -> Option<u64> {
        self.0.overflowed()
    }

    /// Reads up to [`Block::SERIES`] series from position `from` on, and moves
    /// that past them; returns `None` when there are no more.
    pub(crate) fn block(&self, from: &mut usize) -> Option<Block> {
        self.0.block(from)
    }

    /// Returns its set, when it holds instruments of the kind `M`.
    pub(crate) fn set<M: Instrument>(&self) -> Option<Arc<SeriesSet<M>>> {
        let set: Arc<dyn Any + Send + Sync> = Arc::clone(&self.0) as _;
        set.downcast().ok()
    }
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
    fn constant(&self) -> &Labels;
    fn len(&self) -> usize;
    fn invalid(&self) -> u64;
    fn overflowed(&self) -> Option<u64>;
    fn block(&self, from: &mut usize) -> Option<Block>;
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

    fn constant(&self) -> &Labels {
        self.constant()
    }

    fn len(&self) -> usize {
        self.iter().count()
    }

    fn invalid(&self) -> u64 {
        self.invalid()
    }

    fn overflowed(&self) -> Option<u64> {
        let limits = self.limits();
        limits.are_any().then(|| limits.overflowed())
    }

    fn block(&self, from: &mut usize) -> Option<Block> {
        self.block(from)
    }

    fn total(&self) -> f64 {
        // Not `sum`, which is -0 of nothing.
        self.iter().fold(0.0, |sum, series| sum + series.total())
    }

    fn reset(&self) {
        self.iter().for_each(Instrument::clear);
    }
}
