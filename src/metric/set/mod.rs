//! The series of one family, shared by all handles to it.

mod expiry;
mod lookup;
mod read_block;
mod removal;
#[cfg(feature = "llm")]
mod value_admission;

use std::fmt;
use std::sync::{Arc, PoisonError};

use crate::cell::{
    AtomicBool, IndexedList, Mutex, MutexGuard, OnceLock, Ordering, ReplaceableList,
};
use crate::metric::family_info::FamilyInfo;
use crate::metric::handle::Handle;
use crate::metric::instrument::Instrument;
use crate::metric::limits::Overflow;
use crate::metric::series::Shared;
use expiry::Expiry;
pub(crate) use expiry::ReadId;
pub(crate) use read_block::SeriesCursor;
use removal::{MAX_HELD_CHECKS, RemovedSeries};

/// The series of one family.
///
/// Series are appended and never moved, so that recording and scraping go on while one is
/// added. A removed series is hidden, and retired if no handle to it is held; see
/// [`RemovedSeries`].
pub(crate) struct SeriesSet<M: Instrument> {
    info: FamilyInfo,
    shared: Arc<Shared<M::Settings>>,
    /// Always the standard library's lock, not loom's: no other lock is taken while it is
    /// held.
    overrides: std::sync::Mutex<Vec<SettingsOverride<M::Settings>>>,
    series: ReplaceableList<M>,
    /// Locked while a series is added or retired.
    removed: Mutex<RemovedSeries<M>>,
    /// True if there are removed series, so that a read takes no lock if there are none.
    has_removed: AtomicBool,
    /// True if removed series may be retired, which frees a part of the limit.
    has_held: AtomicBool,
    /// Set if the series can expire.
    expiry: OnceLock<Box<Expiry>>,
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
        let hash = set.info.hash(&[""; 0]);
        set.series.with(|list| {
            list.insert(hash, metric.clone());
        });
        set
    }

    fn with_shared(info: FamilyInfo, shared: Arc<Shared<M::Settings>>) -> Self {
        Self {
            info,
            shared,
            overrides: std::sync::Mutex::new(Vec::new()),
            series: ReplaceableList::new(),
            removed: Mutex::new(RemovedSeries::default()),
            has_removed: AtomicBool::new(false),
            has_held: AtomicBool::new(false),
            expiry: OnceLock::new(),
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

    /// Does what [`with_series`](Self::with_series) does, for any number of values.
    ///
    /// On call, `values` must equal `requested`. `record` gets the values of the series: some may
    /// have been replaced by the overflow value.
    ///
    /// Takes a lock only if the series does not exist.
    #[cold]
    #[inline(never)]
    pub(crate) fn with_series_slow<'a, T>(
        &self,
        requested: &[&'a str],
        values: &mut [&'a str],
        record: impl FnOnce(&M, &[&'a str]) -> T,
    ) -> T {
        let hash = self.info.hash(requested);
        let recorded = self
            .series
            .with(|list| match self.find_in(list, hash, requested) {
                Some(series) => {
                    series.handle().restore();
                    Ok(record(series, requested))
                }
                None => Err(record),
            });
        match recorded {
            Ok(result) => result,
            Err(record) => {
                let series = self.get_or_create(requested, values);
                record(&series, values)
            }
        }
    }

    /// Returns the series with these values, and creates it if it does not exist. On call,
    /// `values` must equal `requested`; on return, it holds the values of the series.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_or_create<'a>(&self, requested: &[&'a str], values: &mut [&'a str]) -> M {
        if let Some(series) = self.find(requested) {
            series.handle().restore();
            return series;
        }
        let overflow = self.info.limits().apply(values);
        let overflow_series = match overflow {
            // Removed series may free a part of the limit.
            Some(_) if self.has_held.load(Ordering::Relaxed) => None,
            Some(_) => self.find(values),
            None => None,
        };
        let (series, overflow) = match overflow_series {
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

    /// Allows a value of a label whatever the limit. Does nothing if there is no such label.
    pub(crate) fn declare_value(&self, label: &str, value: &str) {
        if let Some(label) = self.info.label_index(label) {
            let _removed = self.removed();
            self.info.limits().declare(label, value);
        }
    }

    /// Allows these values whatever the limit, a list for each label, and creates the series
    /// of all combinations.
    pub(crate) fn declare(&self, lists: &[&[&str]]) {
        {
            let _removed = self.removed();
            self.info.limits().declare_all(lists);
        }
        for_each_combination(lists, &mut |values| {
            let series = self.get_or_create(values, &mut values.to_vec());
            let mut removed = self.removed();
            series.handle().series().state.set_permanent();
            // Another thread may have removed it meanwhile.
            if let Some(series) = removed.take(&series.handle().series().labels) {
                self.restore_retired(&mut removed, &series);
            }
        });
    }

    /// Returns the series with these values, if it exists, visible or not.
    pub(crate) fn find(&self, values: &[&str]) -> Option<M> {
        let hash = self.info.hash(values);
        self.series
            .with(|list| self.find_in(list, hash, values).cloned())
    }

    fn find_in<'l>(&self, list: &'l IndexedList<M>, hash: u64, values: &[&str]) -> Option<&'l M> {
        if self.info.label_names().is_empty() {
            return list.get(0);
        }
        list.find(hash, |series| {
            let series = series.handle().series();
            !series.state.is_retired() && self.info.are_labels(&series.labels, values)
        })
    }

    /// Creates the series with these values, some of which may be replaced by the overflow
    /// value.
    fn create<'a>(&self, requested: &[&'a str], values: &mut [&'a str]) -> (M, Option<Overflow>) {
        let mut removed = self.removed();
        self.restore_if_used(&mut removed, requested);
        // While this thread waited, another one may have created the series, or used up the
        // limit.
        values.copy_from_slice(requested);
        if let Some(series) = self.find(requested) {
            return (series, None);
        }
        let mut overflow = self.info.limits().apply(values);
        if overflow.is_some() && self.retire_held(&mut removed, MAX_HELD_CHECKS) {
            values.copy_from_slice(requested);
            overflow = self.info.limits().apply(values);
        }
        if let Some(series) = self.find(values) {
            return (series, overflow);
        }
        let labels = self.info.labels(values);
        if let Some(series) = removed.take(&labels) {
            self.restore_retired(&mut removed, &series);
            return (series, overflow);
        }
        let series = M::from_handle(Handle::new(labels, &self.shared_for(values)));
        self.add(&series, values);
        (series, overflow)
    }

    /// Adds a series to the list.
    ///
    /// Only one thread may call this at a time.
    fn add(&self, series: &M, values: &[impl AsRef<str>]) {
        let hash = self.info.hash(values);
        let is_counted = self.series.with(|list| {
            list.insert(hash, series.clone());
            // After the series was added; see `Limits`.
            self.info.limits().admit(values)
        });
        series.handle().series().state.set_counted(is_counted);
    }

    /// Locks what is changed when a series is added or retired.
    fn removed(&self) -> MutexGuard<'_, RemovedSeries<M>> {
        // A panic of another thread has not left the set in a bad state: no user code runs
        // while the lock is held, and the set is consistent after every step.
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
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
            .field("series", &self.series.with(IndexedList::len))
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
