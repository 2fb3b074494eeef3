//! The series of one family, whoever holds handles to it.

#[cfg(feature = "llm")]
mod values;

use std::fmt;
use std::hash::{BuildHasher, Hasher as _};
use std::sync::{Arc, PoisonError};

use crate::cell::{Catalog, Hasher, Mutex};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::label::Label;
use crate::metric::limits::{Folded, Limits};
use crate::metric::series::Shared;
use crate::snapshot::{Desc, Labels, SeriesBlock, is_classic_label};

/// The series of one family.
///
/// Series are appended and never moved, so that recording and scraping go on
/// while one is added. A removed one stays where it is, out of sight, so that
/// whoever holds its handle brings it back by using it.
pub(crate) struct SeriesSet<M: Instrument> {
    desc: Arc<Desc>,
    /// The labels of the registry, which every series has.
    constant: Labels,
    label_names: Box<[Box<str>]>,
    limits: Limits,
    shared: Arc<Shared<M::Settings>>,
    /// Not of loom's: it is never held while another lock is waited for.
    variants: std::sync::Mutex<Vec<Variant<M::Settings>>>,
    hasher: Hasher,
    series: Catalog<M>,
    /// Held while a series is added.
    adding: Mutex<()>,
}

/// The settings of those series that have one value of one label.
struct Variant<S> {
    /// The label's position.
    label: usize,
    value: Box<str>,
    shared: Arc<Shared<S>>,
}

impl<M: Instrument> SeriesSet<M> {
    /// Makes a set without series; the names were checked.
    pub(crate) fn new(
        desc: Desc,
        constant: Labels,
        labels: &[Label<'_>],
        settings: M::Settings,
    ) -> Self {
        Self::with_shared(
            desc,
            constant,
            labels,
            Shared::new(settings, !labels.is_empty()),
        )
    }

    /// Makes the set of a metric without labels that existed before its name.
    pub(crate) fn for_metric(desc: Desc, constant: Labels, metric: &M) -> Self {
        let shared = Arc::clone(&metric.series().shared);
        let set = Self::with_shared(desc, constant, &[], shared);
        set.series.insert(set.hash(&[]), metric.clone());
        set
    }

    fn with_shared(
        desc: Desc,
        constant: Labels,
        labels: &[Label<'_>],
        shared: Arc<Shared<M::Settings>>,
    ) -> Self {
        let classic = labels.iter().all(|label| is_classic_label(label.name));
        Self {
            desc: Arc::new(desc.with_classic_labels(classic && constant.has_classic_names())),
            constant,
            label_names: labels.iter().map(|label| label.name.into()).collect(),
            limits: Limits::new(labels),
            shared,
            variants: std::sync::Mutex::new(Vec::new()),
            hasher: Hasher::default(),
            series: Catalog::new(),
            adding: Mutex::new(()),
        }
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        &self.desc
    }

    pub(crate) fn constant_labels(&self) -> &Labels {
        &self.constant
    }

    pub(crate) fn label_names(&self) -> &[Box<str>] {
        &self.label_names
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn settings(&self) -> &M::Settings {
        &self.shared.settings
    }

    /// Returns true when some series have, or would have, settings of which this is true.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_settings(&self, are: impl Fn(&M::Settings) -> bool) -> bool {
        let variants = self.variants();
        let mut all = variants.iter().map(|variant| &variant.shared);
        are(self.settings()) || all.any(|shared| are(&shared.settings))
    }

    /// Lets the series that are made from now on with this value of a label have
    /// settings of their own, unless they have some already; of a label that there is
    /// not, none are.
    pub(crate) fn set_settings_for(&self, label: &str, value: &str, settings: M::Settings) {
        let mut names = self.label_names.iter();
        let Some(label) = names.position(|name| **name == *label) else {
            return;
        };
        let mut variants = self.variants();
        let is = |own: &Variant<_>| own.label == label && *own.value == *value;
        if !variants.iter().any(is) {
            variants.push(Variant {
                label,
                value: value.into(),
                shared: Shared::new(settings, self.shared.has_labels),
            });
        }
    }

    /// Returns how many values the family's series refused.
    pub(crate) fn invalid_count(&self) -> u64 {
        let variants = self.variants();
        let all = variants.iter().map(|variant| &variant.shared);
        let refused = all.chain([&self.shared]);
        refused.map(|shared| shared.invalid.load().whole).sum()
    }

    /// Returns the series that are shown.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.series.iter().filter(|series| !series.is_hidden())
    }

    /// Returns the series with these values, one for each of `label_names`, and
    /// makes it if it is not there. The `value_offsets` are those of the set's labels.
    #[inline]
    pub(crate) fn get_or_create<const N: usize>(
        &self,
        values: [&str; N],
        value_offsets: &[usize; N],
    ) -> &M {
        let found = self.series.find(self.hash(&values), |series| {
            let held = series.series();
            held.state.is_live_and_unescaped()
                && held.labels.matches_unescaped(&values, value_offsets)
        });
        match found {
            Some(series) => series,
            None => self.get_or_create_slow(&values, &mut values.clone()),
        }
    }

    /// Returns what [`series`](Self::series) does, for any number of values, and in
    /// `values`, which are the same, those that the series has: the limit may have
    /// replaced some by the overflow's.
    ///
    /// It takes no lock either, unless a series is to be made.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_or_create_slow<'a>(&self, asked: &[&'a str], values: &mut [&'a str]) -> &M {
        if let Some(series) = self.find(asked) {
            series.series().state.restore();
            return series;
        }
        let folded = self.limits.apply(values);
        let (series, folded) = match folded.and_then(|_| self.find(values)) {
            // Once more: another thread may have made the one that was asked for,
            // and reached the limit with it.
            Some(overflow) => match self.find(asked) {
                Some(series) => {
                    values.copy_from_slice(asked);
                    (series, None)
                }
                None => (overflow, folded),
            },
            None => self.make(asked, values),
        };
        series.series().state.restore();
        if let Some(folded) = folded {
            self.limits.record_overflow(self.desc.name(), folded);
        }
        series
    }

    /// Leaves the series with these values out of scrapes, until it is used again
    /// and begins at zero. Returns whether there was one to leave out.
    pub(crate) fn remove(&self, values: &[&str]) -> bool {
        let Some(series) = self.find(values).filter(|series| !series.is_hidden()) else {
            return false;
        };
        // In this order: what is recorded in between is a use after the removal,
        // and is seen, because the series is not vacant.
        series.unset();
        series.series().state.remove();
        series.is_hidden()
    }

    /// Lets a label have a value whatever the limit; of a label that there is not, none
    /// is.
    pub(crate) fn declare_value(&self, label: &str, value: &str) {
        let mut names = self.label_names.iter();
        if let Some(label) = names.position(|name| **name == *label) {
            let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
            self.limits.declare(label, value);
        }
    }

    /// Lets the labels have these values whatever the limit, a list for each
    /// label, and makes the series of all their combinations.
    pub(crate) fn declare(&self, lists: &[&[&str]]) {
        {
            let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
            for (label, values) in lists.iter().enumerate() {
                for value in *values {
                    self.limits.declare(label, value);
                }
            }
        }
        let combinations = lists.iter().map(|values| values.len()).product();
        for combination in 0..combinations {
            let mut rest = combination;
            let mut values: Vec<_> = lists
                .iter()
                .map(|values| {
                    let value = values[rest % values.len()];
                    rest /= values.len();
                    value
                })
                .collect();
            self.get_or_create_slow(&values.clone(), &mut values);
        }
    }

    /// Reads up to [`SeriesBlock::MAX_SERIES`] shown series from position `from` on, all with
    /// the same settings, and moves that past them; returns `None` when there are no
    /// more.
    pub(crate) fn block(&self, from: &mut usize) -> Option<SeriesBlock> {
        let first = self.next_visible(from)?;
        let shared = &first.series().shared;
        let mut all = Vec::with_capacity(SeriesBlock::MAX_SERIES);
        all.push(first);
        while all.len() < SeriesBlock::MAX_SERIES {
            let mut next = *from;
            match self.next_visible(&mut next) {
                Some(series) if Arc::ptr_eq(&series.series().shared, shared) => all.push(series),
                _ => break,
            }
            *from = next;
        }
        // In a loop of their own: their memory then comes at once, not one after the
        // other as they are read.
        for series in &all {
            series.fetch();
        }
        let values = M::values(&shared.settings, all.len());
        let mut block = SeriesBlock::with_capacity(Arc::clone(&self.desc), values, all.len());
        for series in all {
            self.read(series, &mut block);
        }
        block.values.shrink();
        Some(block)
    }

    /// Returns the first shown series from position `from` on, and moves that past
    /// it.
    fn next_visible(&self, from: &mut usize) -> Option<&M> {
        let len = self.series.len();
        while *from < len {
            let series = self.series.get(*from).filter(|series| !series.is_hidden());
            *from += 1;
            if series.is_some() {
                return series;
            }
        }
        None
    }

    fn read(&self, series: &M, block: &mut SeriesBlock) {
        let held = series.series();
        held.read_exemplars(block.labels.len(), &mut block.exemplars);
        block.labels.push(if self.label_names.is_empty() {
            // One that was made by itself has no labels of a registry.
            self.constant.clone()
        } else {
            held.labels.clone()
        });
        block.created_millis.push(held.state.created_millis());
        series.read(&mut block.values);
    }

    /// Returns the series with these values, if there is one, shown or not.
    pub(crate) fn find(&self, values: &[&str]) -> Option<&M> {
        if self.label_names.is_empty() {
            return self.series.get(0);
        }
        self.series.find(self.hash(values), |series| {
            let labels = &series.series().labels;
            labels.has_exact_pairs(&self.constant, self.pairs(values))
        })
    }

    /// Makes the series with these values, and says whether one of them became the
    /// overflow's.
    fn make<'a>(&self, asked: &[&'a str], values: &mut [&'a str]) -> (&M, Option<Folded>) {
        // No code of a user runs under the lock, and a set is whole after every
        // step, so a panic elsewhere has not spoilt it.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made it while this one waited, or have taken the
        // last room that there was for its values.
        values.copy_from_slice(asked);
        if let Some(series) = self.find(asked) {
            return (series, None);
        }
        let folded = self.limits.apply(values);
        if let Some(series) = self.find(values) {
            return (series, folded);
        }
        let labels = Labels::with_pairs(&self.constant, self.pairs(values));
        let series = new_series(labels, &self.shared_by(values));
        let series = self.series.insert(self.hash(values), series);
        // After it was added: `Limits` says why.
        self.limits.admit(values);
        (series, folded)
    }

    /// Returns what a series with these values shares with others.
    fn shared_by(&self, values: &[&str]) -> Arc<Shared<M::Settings>> {
        let variants = self.variants();
        let own = variants.iter().find(|own| {
            values
                .get(own.label)
                .is_some_and(|value| **value == *own.value)
        });
        Arc::clone(own.map_or(&self.shared, |own| &own.shared))
    }

    fn variants(&self) -> std::sync::MutexGuard<'_, Vec<Variant<M::Settings>>> {
        self.variants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the names and values of a series' own labels.
    fn pairs<'a>(&'a self, values: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.label_names.iter().map(|name| &**name);
        names.zip(values.iter().copied())
    }

    #[inline]
    fn hash(&self, values: &[&str]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            // The hasher mixes the length in, so that `["a", "b"]` and `["ab", ""]`
            // differ.
            hasher.write(value.as_bytes());
        }
        hasher.finish()
    }
}

impl<M: Instrument> SeriesSet<M> {
    /// Prints a handle to the set: its name, its labels and how many series it has, but not
    /// their values.
    pub(crate) fn fmt_handle(&self, handle: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(handle)
            .field("name", &self.desc.name())
            .field("labels", &self.label_names)
            .field("series", &self.series.len())
            .finish_non_exhaustive()
    }
}
