//! A family whose series may have different label names.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::metric::any_metric::AnySet;
use crate::metric::family_info::FamilyInfo;
use crate::metric::instrument::Instrument;
use crate::metric::intern_map::InternMap;
use crate::metric::label::Label;
use crate::metric::limits::Limits;
use crate::metric::set::{ReadId, SeriesCursor, SeriesSet};
use crate::snapshot::{Desc, Labels, SeriesBlock};

/// The series of a family that another library creates: one [`SeriesSet`] for each set of label
/// names.
pub(crate) struct MixedSet<M: Instrument> {
    desc: Arc<Desc>,
    /// The description with a help text, if the first one had none.
    described: OnceLock<Arc<Desc>>,
    constant_labels: Labels,
    options: MixedOptions<M::Settings>,
    sets: InternMap<SeriesSet<M>>,
    caches: Mutex<Vec<Weak<dyn HandleCache>>>,
}

/// What all series of such a family have in common.
#[derive(Clone)]
pub(crate) struct MixedOptions<S> {
    /// The library that creates the series.
    pub(crate) library: &'static str,
    pub(crate) settings: S,
    /// How many distinct values the labels of one set may have together, if not the default.
    pub(crate) limit: Option<usize>,
    /// How long a series exists without use, if it expires.
    pub(crate) lifetime: Option<Duration>,
}

/// Handles to series that a library keeps to find them faster.
pub(crate) trait HandleCache: Send + Sync {
    /// Is called after a read has removed expired series of a family, or has found that there are
    /// none. The cache should drop its handles to series that earlier reads have removed.
    fn after_expiry(&self, read: ReadId, has_expired: bool);
}

impl<M: Instrument> MixedSet<M> {
    /// How many sets of label names there may be.
    pub(crate) const MAX_LABEL_SETS: usize = 16;

    /// Creates a family without series. The caller has checked the names.
    pub(crate) fn new(
        desc: Desc,
        constant_labels: Labels,
        options: MixedOptions<M::Settings>,
    ) -> Self {
        let is_classic = constant_labels.has_classic_names();
        Self {
            desc: Arc::new(desc.with_classic_labels(is_classic)),
            described: OnceLock::new(),
            constant_labels,
            options,
            sets: InternMap::new(),
            caches: Mutex::default(),
        }
    }

    /// Returns the series with these labels, and whether they are its labels: some values may be
    /// replaced by the overflow value. Returns `None` if there are too many sets of label names.
    ///
    /// The names must be sorted, valid and classic, and no value may be empty.
    pub(crate) fn get_or_create(&self, labels: &[(&str, &str)]) -> Option<(M, bool)> {
        let set = self.set(labels)?;
        let requested: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        let mut values = requested.clone();
        let series = set.get_or_create(&requested, &mut values);
        Some((series, values == requested))
    }

    /// Sets the help text, unless there is one.
    pub(crate) fn describe(&self, help: &str) {
        if self.desc.help().is_empty() && !help.is_empty() {
            self.described
                .get_or_init(|| Arc::new(self.desc.with_help(help)));
        }
    }

    /// Tells a cache when series expire.
    pub(crate) fn add_cache(&self, cache: Weak<dyn HandleCache>) {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|other| other.strong_count() > 0 && !other.ptr_eq(&cache));
        caches.push(cache);
    }

    /// Returns the set of the series with these label names.
    fn set(&self, labels: &[(&str, &str)]) -> Option<&Arc<SeriesSet<M>>> {
        let names = || labels.iter().map(|(name, _)| *name);
        let matches =
            |set: &SeriesSet<M>| names().eq(set.info().label_names().iter().map(|name| &**name));
        let hash = self.sets.hash(names().collect::<Vec<_>>());
        let existing = self.sets.find(hash, matches);
        existing.or_else(|| {
            let max = Self::MAX_LABEL_SETS;
            let make = || self.new_set(&names().map(Label::from).collect::<Vec<_>>());
            self.sets.find_or_add_up_to(max, hash, matches, make)
        })
    }

    fn new_set(&self, labels: &[Label<'_>]) -> SeriesSet<M> {
        let (desc, constant_labels) = (Desc::clone(&self.desc), self.constant_labels.clone());
        let info = FamilyInfo::new(desc, constant_labels, labels);
        if let Some(limit) = self.options.limit {
            info.limits().set_limit(limit);
        }
        let set = SeriesSet::new(info, self.options.settings.clone());
        if let Some(lifetime) = self.options.lifetime {
            set.expire_after(lifetime);
        }
        set
    }

    fn live_caches(&self) -> Vec<Arc<dyn HandleCache>> {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.iter().filter_map(Weak::upgrade).collect()
    }
}

impl<M: Instrument> AnySet for MixedSet<M> {
    fn desc(&self) -> &Arc<Desc> {
        self.described.get().unwrap_or(&self.desc)
    }

    fn label_names(&self) -> &[Box<str>] {
        &[]
    }

    fn all_label_names(&self) -> Vec<&str> {
        let names = self.sets.iter().flat_map(|set| set.info().label_names());
        let mut names: Vec<_> = names.map(|name| &**name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn library(&self) -> Option<&'static str> {
        Some(self.options.library)
    }

    fn constant_labels(&self) -> &Labels {
        &self.constant_labels
    }

    fn limits(&self) -> Option<&Limits> {
        None
    }

    fn overflowed_lookups(&self) -> Option<u64> {
        let counts = self.sets.iter().filter_map(|set| set.overflowed_lookups());
        counts.reduce(|sum, count| sum + count)
    }

    fn len(&self) -> usize {
        self.sets.iter().map(|set| set.len()).sum()
    }

    fn invalid_count(&self) -> u64 {
        self.sets.iter().map(|set| set.invalid_count()).sum()
    }

    fn block(&self, cursor: &mut SeriesCursor) -> Option<SeriesBlock> {
        loop {
            let set = self.sets.get(cursor.set())?;
            if let Some(mut block) = set.block(cursor) {
                block.desc = Arc::clone(self.desc());
                return Some(block);
            }
            cursor.next_set();
        }
    }

    fn total(&self) -> f64 {
        let totals = self.sets.iter().map(|set| set.total());
        totals.fold(0.0, |sum, total| sum + total)
    }

    fn reset(&self) {
        self.sets.iter().for_each(|set| set.reset());
    }

    fn expire(&self, read: ReadId) -> bool {
        if self.options.lifetime.is_none() {
            return false;
        }
        let before = self.expired_count();
        for set in self.sets.iter() {
            set.expire(read);
        }
        let has_expired = self.expired_count() != before;
        for cache in self.live_caches() {
            cache.after_expiry(read, has_expired);
        }
        true
    }

    fn deliver(&self, read: ReadId) {
        self.sets.iter().for_each(|set| set.deliver(read));
    }

    fn expired_count(&self) -> Option<u64> {
        self.options.lifetime?;
        let counts = self.sets.iter().filter_map(|set| set.expired_count());
        Some(counts.sum())
    }
}
