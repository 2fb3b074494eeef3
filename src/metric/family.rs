//! A name and its series: one for each set of label values.

use std::array;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use foldhash::fast::RandomState;

use crate::cell::{Index, List, Mutex};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::Shared;
use crate::snapshot::{Block, Desc, Labels};

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
        Self { set, order }
    }

    /// Returns the series with these label values, in the order in which the
    /// names were given; it is made on its first use.
    ///
    /// Finding it takes no lock and no memory. Keep what it returns where one
    /// series is recorded often. Calling this ahead of the first record makes the
    /// series show as 0 from the start.
    pub fn with(&self, values: [&str; N]) -> M {
        self.record(values, M::clone)
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
    /// mails.record(["welcome"], Counter::inc);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[inline]
    pub fn record<T>(&self, values: [&str; N], record: impl FnOnce(&M) -> T) -> T {
        record(self.set.series(&self.order.map(|label| values[label])))
    }
}

impl<M: Instrument, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self {
            set: Arc::clone(&self.set),
            order: self.order,
        }
    }
}

impl<M: Instrument, const N: usize> fmt::Debug for Family<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.set).finish()
    }
}

/// The series of one family, whoever holds handles to it.
///
/// Series are appended and never moved, so that recording and scraping go on
/// while one is added.
pub(crate) struct SeriesSet<M: Instrument> {
    desc: Arc<Desc>,
    label_names: Box<[Box<str>]>,
    shared: Arc<Shared<M::Settings>>,
    hasher: RandomState,
    index: Index,
    series: List<M>,
    /// Whether any series' text is escaped, and so has to be compared step by step.
    escaped: AtomicBool,
    /// Held while a series is added.
    adding: Mutex<()>,
}

impl<M: Instrument> SeriesSet<M> {
    /// Makes a set without series; the names were checked.
    pub(crate) fn new(desc: Desc, label_names: &[&str], settings: M::Settings) -> Self {
        Self::sharing(desc, label_names, Shared::new(settings))
    }

    /// Makes the set of a metric without labels that existed before its name.
    pub(crate) fn adopting(desc: Desc, metric: &M) -> Self {
        let set = Self::sharing(desc, &[], Arc::clone(&metric.series().shared));
        let hash = set.hash(&[]);
        set.add(metric.clone(), hash);
        set
    }

    fn sharing(desc: Desc, label_names: &[&str], shared: Arc<Shared<M::Settings>>) -> Self {
        Self {
            desc: Arc::new(desc),
            label_names: label_names.iter().map(|&name| name.into()).collect(),
            shared,
            hasher: RandomState::default(),
            index: Index::new(),
            series: List::new(),
            escaped: AtomicBool::new(false),
            adding: Mutex::new(()),
        }
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        &self.desc
    }

    pub(crate) fn label_names(&self) -> &[Box<str>] {
        &self.label_names
    }

    pub(crate) fn settings(&self) -> &M::Settings {
        &self.shared.settings
    }

    /// Returns how many values the family's series refused.
    pub(crate) fn invalid(&self) -> u64 {
        self.shared.invalid.load().whole
    }

    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.series.iter()
    }

    /// Returns the series with these values, one for each of `label_names`, and
    /// makes it if it is not there.
    #[inline]
    pub(crate) fn series(&self, values: &[&str]) -> &M {
        let hash = self.hash(values);
        match self.find(hash, values) {
            Some(series) => series,
            None => self.make(hash, values),
        }
    }

    /// Reads up to [`Block::SERIES`] series from position `from` on, or returns
    /// `None` when there are no more.
    pub(crate) fn block(&self, from: usize) -> Option<Block> {
        let up_to = self.len().min(from.saturating_add(Block::SERIES));
        if from >= up_to {
            return None;
        }
        let values = M::values(self.settings());
        let mut block = Block::new(Arc::clone(&self.desc), from == 0, values);
        block.labels.reserve(up_to - from);
        for series in (from..up_to).filter_map(|position| self.series.get(position)) {
            block.labels.push(series.series().labels.clone());
            series.read(&mut block.values);
        }
        Some(block)
    }

    #[inline]
    fn find(&self, hash: u64, values: &[&str]) -> Option<&M> {
        self.index.find(hash, |position| {
            let series = self.series.get(position)?;
            let labels = &series.series().labels;
            // Relaxed, but after the position was found with Acquire: `add` says so
            // before it publishes an escaped series.
            let same = if self.escaped.load(Ordering::Relaxed) {
                labels.are(self.pairs(values))
            } else {
                labels.have_plain_values(self.pairs(values))
            };
            same.then_some(series)
        })
    }

    #[cold]
    fn make(&self, hash: u64, values: &[&str]) -> &M {
        // No code of a user runs under the lock, and a set is whole after every
        // step, so a panic elsewhere has not spoilt it.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made it while this one waited.
        if let Some(series) = self.find(hash, values) {
            return series;
        }
        let series: M = new_series(Labels::new(self.pairs(values)), &self.shared);
        self.add(series, hash)
    }

    /// Adds a series; the caller lets only one thread do this at a time.
    fn add(&self, series: M, hash: u64) -> &M {
        if series.series().labels.is_escaped() {
            // Relaxed: the index publishes it together with the series.
            self.escaped.store(true, Ordering::Relaxed);
        }
        let (position, series) = self.series.push(series);
        self.index.insert(hash, position);
        series
    }

    #[inline]
    fn pairs<'a>(&'a self, values: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.label_names.iter().map(|name| &**name);
        names.zip(values.iter().copied())
    }

    #[inline]
    fn hash(&self, values: &[&str]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            hasher.write(value.as_bytes());
            // No UTF-8 text contains this byte, so that `["a", "b"]` and
            // `["ab", ""]` differ.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }
}

impl<M: Instrument> fmt::Debug for SeriesSet<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeriesSet")
            .field("name", &self.desc.name())
            .field("labels", &self.label_names)
            .field("series", &self.len())
            .finish_non_exhaustive()
    }
}
