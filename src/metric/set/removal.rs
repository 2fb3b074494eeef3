//! Removal of series, which frees their memory and their part of the limit.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use crate::cell::{EarlierList, Hasher, IndexedList, Ordering};
use crate::metric::instrument::Instrument;
use crate::metric::set::SeriesSet;
use crate::snapshot::Labels;

/// How many series are checked for handles when a series is over the limit.
pub(super) const MAX_HELD_CHECKS: usize = 16;
/// A list with fewer retired series is not replaced.
const MIN_RETIRED: usize = if cfg!(tachometer_loom) { 1 } else { 16 };

/// The series that were removed and not used since.
///
/// A removed series is *held* while a handle to it may exist outside of the set: lookups find it,
/// and its values count under the limit. Otherwise it is *retired*: lookups do not find it, and
/// its values do not count.
///
/// A thread that looked up a series before it was retired may record in it afterwards. So a
/// retired series is kept until no other thread can have a reference to it. If it is used until
/// then, it becomes a normal series again. A series with the same labels is never created
/// meanwhile; a lookup of the labels restores the retired one. So each value that is recorded
/// shows in a scrape or was removed with the values before it.
pub(super) struct RemovedSeries<M> {
    held: VecDeque<M>,
    retired: HashMap<Labels, M, Hasher>,
    /// How many of the retired series are still in the current list.
    retired_in_list: usize,
    /// The lists before the current one that readers may still have.
    earlier_lists: Vec<EarlierList<M>>,
}

impl<M> RemovedSeries<M> {
    /// Takes the retired series with these labels, to restore it.
    pub(super) fn take(&mut self, labels: &Labels) -> Option<M> {
        self.retired.remove(labels)
    }
}

impl<M> Default for RemovedSeries<M> {
    fn default() -> Self {
        Self {
            held: VecDeque::new(),
            retired: HashMap::default(),
            retired_in_list: 0,
            earlier_lists: Vec::new(),
        }
    }
}

impl<M: Instrument> SeriesSet<M> {
    /// Hides the series with these values until it is used again; it then starts at zero.
    /// Returns true if it was visible and is hidden now.
    pub(crate) fn remove(&self, values: &[&str]) -> bool {
        let mut found = self.find(values);
        if found.is_none() && self.has_removed.load(Ordering::Relaxed) {
            let mut removed = self.removed();
            self.restore_if_used(&mut removed, values);
            found = self.find(values);
        }
        let removed = found.filter(|series| {
            let series = series.handle();
            !series.is_hidden() && series.remove()
        });
        let is_removed = removed.is_some();
        self.retire_all(removed);
        is_removed
    }

    /// Removes the visible series for which `keep` returns false. It is called without a lock.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&M) -> bool) {
        let mut removed = Vec::new();
        self.for_each_visible(|series| {
            if !keep(series) {
                removed.push(series.clone());
            }
        });
        removed.retain(|series| series.handle().remove());
        self.retire_all(removed);
    }

    /// Retires removed series, now or when no handle to them is held. The caller has one handle
    /// to each, which is dropped.
    pub(crate) fn retire_all(&self, series: impl IntoIterator<Item = M>) {
        // A metric without labels has one series, which is not worth freeing.
        if self.info.label_names().is_empty() {
            return;
        }
        let mut removed = None;
        for series in series {
            let removed = removed.get_or_insert_with(|| self.removed());
            self.has_removed.store(true, Ordering::Relaxed);
            self.retire_or_hold(removed, series);
        }
        let Some(mut removed) = removed else {
            return;
        };
        self.has_held
            .store(!removed.held.is_empty(), Ordering::Relaxed);
        if removed.is_sparse(self.series.with(IndexedList::len), 2) {
            self.compact(&mut removed);
        }
    }

    /// Restores retired series that were used, retires held ones of which no handle is left, and
    /// frees memory.
    ///
    /// A reader calls it first: a series that was used must be visible.
    pub(super) fn settle_removed(&self) {
        // Relaxed: a reader that sees it late has a list from before the removal.
        if !self.has_removed.load(Ordering::Relaxed) {
            return;
        }
        let mut removed = self.removed();
        self.retire_held(&mut removed, usize::MAX);
        let divisor = if self.series.is_replaced() { 8 } else { 2 };
        if removed.is_sparse(self.series.with(IndexedList::len), divisor) {
            self.compact(&mut removed);
        } else {
            self.free_retired(&mut removed);
        }
        let is_empty = removed.held.is_empty() && removed.retired.is_empty();
        self.has_removed.store(!is_empty, Ordering::Relaxed);
    }

    /// Retires held series of which no handle is left, and checks up to `max` of them. Returns
    /// true if one was retired.
    pub(super) fn retire_held(&self, removed: &mut RemovedSeries<M>, max: usize) -> bool {
        let before = removed.retired.len();
        for _ in 0..max.min(removed.held.len()) {
            let Some(series) = removed.held.pop_front() else {
                break;
            };
            series.handle().series().state.set_held(false);
            self.retire_or_hold(removed, series);
        }
        self.has_held
            .store(!removed.held.is_empty(), Ordering::Relaxed);
        removed.retired.len() > before
    }

    /// Restores the series with these values if it is retired and was used since.
    pub(super) fn restore_if_used(&self, removed: &mut RemovedSeries<M>, values: &[&str]) {
        if removed.retired.is_empty() {
            return;
        }
        let labels = self.info.labels(values);
        let retired = removed.retired.get(&labels);
        if retired.is_some_and(|series| !series.handle().is_removed())
            && let Some(series) = removed.retired.remove(&labels)
        {
            self.restore_retired(removed, &series);
        }
    }

    /// Makes a series that was taken from the retired ones a normal one again.
    pub(super) fn restore_retired(&self, removed: &mut RemovedSeries<M>, series: &M) {
        let labels = series.handle().series().labels.clone();
        let values = self.values_of(&labels);
        let state = &series.handle().series().state;
        state.set_retired(false);
        if self.is_in_list(series, &values) {
            removed.retired_in_list = removed.retired_in_list.saturating_sub(1);
            state.set_counted(self.info.limits().admit(&values));
        } else {
            self.add(series, &values);
        }
    }

    /// Retires a removed series, or keeps it if a handle may be held. Does nothing if it was used
    /// since.
    fn retire_or_hold(&self, removed: &mut RemovedSeries<M>, series: M) {
        let state = &series.handle().series().state;
        if !series.handle().is_removed() || state.is_retired() || state.is_permanent() {
            return;
        }
        let labels = series.handle().series().labels.clone();
        let values = self.values_of(&labels);
        // The lists have the others, and this function has one.
        if series.handle().count() > self.list_references(removed, &series, &values) + 1 {
            if !state.set_held(true) {
                removed.held.push_back(series);
            }
        } else {
            state.set_retired(true);
            self.info.limits().release(&values, state.is_counted());
            self.forget_last_use(&series);
            removed.retired_in_list += 1;
            removed.retired.insert(labels.clone(), series);
        }
    }

    /// Replaces the list by one without the retired series.
    fn compact(&self, removed: &mut RemovedSeries<M>) {
        let list = IndexedList::new();
        self.series.with(|old| {
            let remaining = old
                .iter()
                .filter(|series| !series.handle().series().state.is_retired());
            for series in remaining {
                let labels = &series.handle().series().labels;
                let hash = self.info.hash(&self.values_of(labels));
                list.insert(hash, series.clone());
            }
        });
        removed.earlier_lists.extend(self.series.replace(list));
        removed.earlier_lists.retain(EarlierList::has_readers);
        removed.retired_in_list = 0;
        self.free_retired(removed);
    }

    /// Drops the retired series to which nobody else has a reference, and restores those that
    /// were used.
    fn free_retired(&self, removed: &mut RemovedSeries<M>) {
        let mut used = Vec::new();
        removed.retired.retain(|_, series| {
            // First: nobody can use the series after it.
            let is_unreferenced = series.handle_mut().is_only_one();
            if !series.handle().is_removed() {
                used.push(series.clone());
                return false;
            }
            !is_unreferenced
        });
        for series in used {
            self.restore_retired(removed, &series);
        }
        removed.retired.shrink_to(2 * removed.retired.len());
    }

    /// Returns true if the first list was replaced.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn is_replaced(&self) -> bool {
        self.series.is_replaced()
    }

    /// Returns how many handles to a series the lists have.
    fn list_references(
        &self,
        removed: &RemovedSeries<M>,
        series: &M,
        values: &[Cow<'_, str>],
    ) -> usize {
        let hash = self.info.hash(values);
        let references = |list: &IndexedList<M>| {
            list.references(hash, |other| other.handle().is_same(series.handle()))
        };
        let (first, current) = self.series.lists();
        let earlier = removed.earlier_lists.iter().filter_map(EarlierList::get);
        let others = earlier.chain(current).map(|list| references(&list));
        references(first) + others.sum::<usize>()
    }

    /// Returns true if the current list has the series.
    fn is_in_list(&self, series: &M, values: &[Cow<'_, str>]) -> bool {
        let hash = self.info.hash(values);
        let is_same = |other: &M| other.handle().is_same(series.handle());
        self.series.with(|list| list.find(hash, is_same).is_some())
    }

    fn values_of<'a>(&self, labels: &'a Labels) -> Vec<Cow<'a, str>> {
        self.info.values_of(labels).collect()
    }
}

impl<M> RemovedSeries<M> {
    /// Returns true if `1 / divisor` of a list of this length are retired series, so that the
    /// list is to be replaced. Retired series that cannot be freed yet count as well, so that the
    /// work for each removal is bounded.
    fn is_sparse(&self, list_len: usize, divisor: usize) -> bool {
        let others = self.retired.len().saturating_sub(self.retired_in_list);
        // Models replace each list.
        self.retired_in_list >= MIN_RETIRED
            && (cfg!(tachometer_loom) || self.retired_in_list * divisor > list_len + others)
    }
}
