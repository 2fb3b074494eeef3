//! The series of one family, shared by all handles to it.

#[cfg(feature = "llm")]
mod value_admission;

use std::fmt;
use std::iter;
use std::sync::{Arc, PoisonError};

use crate::cell::{IndexedList, Mutex};
use crate::metric::family_info::FamilyInfo;
use crate::metric::handle::{Handle, MetricCell};
use crate::metric::instrument::Instrument;
use crate::metric::limits::Overflow;
use crate::metric::series::Shared;
use crate::snapshot::SeriesBlock;

/// The series of one family.
///
/// Series are appended and never moved, so that recording and scraping go on while one is
/// added. A removed series stays where it is and is hidden; its handles make it visible again
/// when they are used.
pub(crate) struct SeriesSet<M: Instrument> {
    info: FamilyInfo,
    shared: Arc<Shared<M::Settings>>,
    /// Always the standard library's lock, not loom's: no other lock is taken while it is
    /// held.
    overrides: std::sync::Mutex<Vec<SettingsOverride<M::Settings>>>,
    series: IndexedList<M>,
    /// Held while a series is added.
    adding: Mutex<()>,
}

/// The settings of the series that have one value of one label.
struct SettingsOverride<S> {
    /// The label's index.
    label: usize,
    value: Box<str>,
    shared: Arc<Shared<S>>,
}

impl<M: Instrument> SeriesSet<M> {
    /// Creates a set without series.
    pub(crate) fn new(info: FamilyInfo, settings: M::Settings) -> Self {
        let shared = Shared::new(settings, !info.label_names().is_empty());
        Self::with_shared(info, shared)
    }

    /// Creates the set of a metric without labels that existed before it was registered.
    pub(crate) fn for_metric(info: FamilyInfo, metric: &M) -> Self {
        let shared = Arc::clone(&metric.handle().series().shared);
        let set = Self::with_shared(info, shared);
        set.series.insert(set.info.hash(&[]), metric.clone());
        set
    }

    fn with_shared(info: FamilyInfo, shared: Arc<Shared<M::Settings>>) -> Self {
        Self {
            info,
            shared,
            overrides: std::sync::Mutex::new(Vec::new()),
            series: IndexedList::new(),
            adding: Mutex::new(()),
        }
    }

    pub(crate) fn info(&self) -> &FamilyInfo {
        &self.info
    }

    pub(crate) fn settings(&self) -> &M::Settings {
        &self.shared.settings
    }

    /// Returns true if `matches` returns true for the settings of some series, or of series
    /// that may be created later.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_settings(&self, matches: impl Fn(&M::Settings) -> bool) -> bool {
        let overrides = self.overrides();
        let mut all = overrides.iter().map(|entry| &entry.shared);
        matches(self.settings()) || all.any(|shared| matches(&shared.settings))
    }

    /// Sets the settings of series that are created later with this value of a label. Does
    /// nothing if the value has settings already, or if there is no such label.
    pub(crate) fn set_settings_for(&self, label: &str, value: &str, settings: M::Settings) {
        let Some(label) = self.info.label_index(label) else {
            return;
        };
        let mut overrides = self.overrides();
        let is_set = |entry: &SettingsOverride<_>| entry.label == label && *entry.value == *value;
        if !overrides.iter().any(is_set) {
            overrides.push(SettingsOverride {
                label,
                value: value.into(),
                shared: Shared::new(settings, self.shared.has_labels),
            });
        }
    }

    /// Returns how many values the family's series rejected.
    pub(crate) fn invalid_count(&self) -> u64 {
        let overrides = self.overrides();
        let all = overrides.iter().map(|entry| &entry.shared);
        let invalid = all.chain([&self.shared]);
        invalid.map(|shared| shared.invalid.load().whole).sum()
    }

    /// Returns the visible series.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Handle<M::Cell>> {
        let mut next = 0;
        iter::from_fn(move || self.next_visible(&mut next))
    }

    /// Returns the series with these values, one for each label name, and creates it if it does
    /// not exist. `value_offsets` are those of the set's labels.
    #[inline]
    pub(crate) fn get_or_create<const N: usize>(
        &self,
        values: [&str; N],
        value_offsets: &[usize; N],
    ) -> &M {
        let found = self.series.find(self.info.hash(&values), |series| {
            let series = series.handle().series();
            series.state.is_live_and_unescaped()
                && series.labels.matches_unescaped(&values, value_offsets)
        });
        match found {
            Some(series) => series,
            None => self.get_or_create_slow(&values, &mut values.clone()),
        }
    }

    /// Does what [`get_or_create`](Self::get_or_create) does, for any number of values.
    ///
    /// On call, `values` must equal `requested`. On return, it holds the values of the series:
    /// some may have been replaced by the overflow value.
    ///
    /// Takes a lock only if the series does not exist.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_or_create_slow<'a>(
        &self,
        requested: &[&'a str],
        values: &mut [&'a str],
    ) -> &M {
        if let Some(series) = self.find(requested) {
            series.handle().restore();
            return series;
        }
        let overflow = self.info.limits().apply(values);
        let (series, overflow) = match overflow.and_then(|_| self.find(values)) {
            // Look again: another thread may have created the requested series, and reached
            // the limit with it.
            Some(overflow_series) => match self.find(requested) {
                Some(series) => {
                    values.copy_from_slice(requested);
                    (series, None)
                }
                None => (overflow_series, overflow),
            },
            None => self.create(requested, values),
        };
        series.handle().restore();
        if let Some(overflow) = overflow {
            self.info
                .limits()
                .record_overflow(self.info.desc().name(), overflow);
        }
        series
    }

    /// Hides the series with these values until it is used again; it then starts at zero.
    /// Returns true if it was visible and is hidden now.
    pub(crate) fn remove(&self, values: &[&str]) -> bool {
        let series = self.find(values).map(M::handle);
        series.is_some_and(|series| !series.is_hidden() && series.remove())
    }

    /// Allows a value of a label whatever the limit. Does nothing if there is no such label.
    pub(crate) fn declare_value(&self, label: &str, value: &str) {
        if let Some(label) = self.info.label_index(label) {
            let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
            self.info.limits().declare(label, value);
        }
    }

    /// Allows these values whatever the limit, a list for each label, and creates the series
    /// of all combinations.
    pub(crate) fn declare(&self, lists: &[&[&str]]) {
        {
            let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
            self.info.limits().declare_all(lists);
        }
        for_each_combination(lists, &mut |values| {
            self.get_or_create_slow(values, &mut values.to_vec());
        });
    }

    /// Reads up to [`SeriesBlock::MAX_SERIES`] visible series with the same settings, from index
    /// `next` on, and moves `next` past them. Returns `None` at the end.
    pub(crate) fn block(&self, next: &mut usize) -> Option<SeriesBlock> {
        let mut all = Vec::with_capacity(SeriesBlock::MAX_SERIES);
        let mut shared: Option<&Arc<Shared<_>>> = None;
        while all.len() < SeriesBlock::MAX_SERIES {
            let mut after = *next;
            let Some(series) = self.next_visible(&mut after) else {
                break;
            };
            let first_shared = *shared.get_or_insert(&series.series().shared);
            if !Arc::ptr_eq(&series.series().shared, first_shared) {
                break;
            }
            all.push(series);
            *next = after;
        }
        let settings = &shared?.settings;
        // In a separate loop: the processor then fetches the memory of all series at the same
        // time, not of one after the other while they are read.
        for series in &all {
            series.prefetch();
        }
        let values = M::Cell::empty_values(settings, all.len());
        let mut block = SeriesBlock::with_capacity(Arc::clone(self.info.desc()), values, all.len());
        for series in all {
            self.read(series, &mut block);
        }
        block.values.shrink();
        Some(block)
    }

    /// Returns the first visible series from index `next` on, and moves `next` past it.
    fn next_visible(&self, next: &mut usize) -> Option<&Handle<M::Cell>> {
        let len = self.series.len();
        while *next < len {
            let series = self.series.get(*next).map(M::handle);
            *next += 1;
            if let Some(series) = series.filter(|series| !series.is_hidden()) {
                return Some(series);
            }
        }
        None
    }

    fn read(&self, handle: &Handle<M::Cell>, block: &mut SeriesBlock) {
        let series = handle.series();
        series.read_exemplars(block.labels.len(), &mut block.exemplars);
        let labels = if self.info.label_names().is_empty() {
            // A metric that existed before it was registered lacks the constant labels.
            self.info.constant_labels()
        } else {
            &series.labels
        };
        block.labels.push(labels.view());
        block.created_millis.push(series.state.created_millis());
        handle.read(&mut block.values);
    }

    /// Returns the series with these values, if it exists, visible or not.
    pub(crate) fn find(&self, values: &[&str]) -> Option<&M> {
        if self.info.label_names().is_empty() {
            return self.series.get(0);
        }
        self.series.find(self.info.hash(values), |series| {
            let labels = &series.handle().series().labels;
            self.info.are_labels(labels, values)
        })
    }

    /// Creates the series with these values, some of which may be replaced by the overflow
    /// value.
    fn create<'a>(&self, requested: &[&'a str], values: &mut [&'a str]) -> (&M, Option<Overflow>) {
        // A panic of another thread has not left the set in a bad state: no user code runs
        // while the lock is held, and the set is consistent after every step.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // While this thread waited, another one may have created the series, or used up the
        // limit.
        values.copy_from_slice(requested);
        if let Some(series) = self.find(requested) {
            return (series, None);
        }
        let overflow = self.info.limits().apply(values);
        if let Some(series) = self.find(values) {
            return (series, overflow);
        }
        let handle = Handle::new(self.info.labels(values), &self.shared_for(values));
        let hash = self.info.hash(values);
        let series = self.series.insert(hash, M::from_handle(handle));
        // After the series was added; see `Limits`.
        self.info.limits().admit(values);
        (series, overflow)
    }

    /// Returns what a series with these values shares with others.
    fn shared_for(&self, values: &[&str]) -> Arc<Shared<M::Settings>> {
        let overrides = self.overrides();
        let entry = overrides.iter().find(|entry| {
            values
                .get(entry.label)
                .is_some_and(|value| **value == *entry.value)
        });
        Arc::clone(entry.map_or(&self.shared, |entry| &entry.shared))
    }

    fn overrides(&self) -> std::sync::MutexGuard<'_, Vec<SettingsOverride<M::Settings>>> {
        self.overrides
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a handle to the set: name, label names and number of series, but no label
    /// values.
    pub(crate) fn fmt_handle(&self, handle: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(handle)
            .field("name", &self.info.desc().name())
            .field("labels", &self.info.label_names())
            .field("series", &self.series.len())
            .finish_non_exhaustive()
    }
}

/// Calls `visit` with each combination of values, one value of each list.
fn for_each_combination<'a>(lists: &[&[&'a str]], visit: &mut dyn FnMut(&[&'a str])) {
    let combinations = lists.iter().map(|values| values.len()).product();
    let mut values = vec![""; lists.len()];
    for combination in 0..combinations {
        let mut quotient = combination;
        for (value, list) in values.iter_mut().zip(lists) {
            *value = list[quotient % list.len()];
            quotient /= list.len();
        }
        visit(&values);
    }
}
