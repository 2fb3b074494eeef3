//! Expiry of series that are not used.

use std::collections::HashMap;
use std::mem;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cell::{CounterCell, Hasher, IndexedList, Mutex, MutexGuard, clock};
use crate::metric::exemplars::SeriesAddress;
use crate::metric::handle::Activity;
use crate::metric::instrument::Instrument;
use crate::metric::label_rule::OVERFLOW;
use crate::metric::set::SeriesSet;

/// The expiry of a family's series.
///
/// It is judged when a read starts whose result is delivered to a monitoring system. A series
/// expires if nothing was recorded in it for the set time, and if its last value is part of a
/// read that was delivered completely.
pub(super) struct Expiry {
    /// In milliseconds. Relaxed: no other value depends on it.
    lifetime: AtomicU64,
    /// How many series have expired.
    expired: CounterCell,
    state: Mutex<ExpiryState>,
    /// The reads that were delivered and that no later read knows of yet. Not part of the state,
    /// which is locked while a read looks at all series.
    delivered: Mutex<Vec<ReadId>>,
}

#[derive(Default)]
struct ExpiryState {
    last_uses: HashMap<SeriesAddress, LastUse, Hasher>,
}

/// The last use of a series that a read has seen.
#[derive(Clone, Copy)]
struct LastUse {
    activity: Activity,
    /// When it was first seen, in milliseconds of the [clock].
    seen_at: u64,
    /// The read that saw it first.
    seen_by: ReadId,
    /// Taken after the value was seen: any read with a greater id contains the value.
    seen_tick: ReadId,
    /// True if a read that contains it was delivered.
    is_delivered: bool,
}

/// When a read started, as the number of a tick of one counter of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadId(u64);

impl ReadId {
    /// Returns an id that is greater than all ids before.
    pub(crate) fn next() -> Self {
        // Not loom's: a model needs no order of ids. SeqCst: a read that starts after another
        // one has seen a series has the greater id.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::SeqCst))
    }
}

impl Expiry {
    fn delivered(&self) -> MutexGuard<'_, Vec<ReadId>> {
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, ExpiryState> {
        // The state is complete after every step, even if another thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastUse {
    /// Records that a read was delivered.
    fn deliver(&mut self, read: ReadId) {
        self.is_delivered |= self.seen_by == read || self.seen_tick < read;
    }
}

impl<M: Instrument> SeriesSet<M> {
    /// Lets series expire after this time without use.
    pub(crate) fn expire_after(&self, lifetime: Duration) {
        let expiry = self.expiry.get_or_init(|| {
            Box::new(Expiry {
                lifetime: AtomicU64::new(0),
                expired: CounterCell::default(),
                state: Mutex::new(ExpiryState::default()),
                delivered: Mutex::new(Vec::new()),
            })
        });
        expiry
            .lifetime
            .store(clock::millis(lifetime), Ordering::Relaxed);
        // While the first list is empty, it can be replaced by one whose series can be freed.
        let _removed = self.removed();
        if !self.series.is_replaced() && self.series.with(IndexedList::len) == 0 {
            self.series.replace(IndexedList::new());
        }
    }

    /// Returns how many series have expired, or `None` if they do not expire.
    pub(crate) fn expired_count(&self) -> Option<u64> {
        Some(self.expiry.get()?.expired.load().whole)
    }

    /// Removes the series that have expired, and records the last use of the others. Returns true
    /// if the series can expire; [`deliver`](Self::deliver) is then to be called if the read is
    /// delivered.
    pub(crate) fn expire(&self, read: ReadId) -> bool {
        let Some(expiry) = self.expiry.get() else {
            return false;
        };
        let expired = self.hide_expired(expiry, read);
        expiry.expired.add(expired.len() as u64);
        self.retire_all(expired.into_iter().map(|(series, _)| series));
        true
    }

    /// Hides the series that have expired, and returns them with what was recorded in them.
    fn hide_expired(&self, expiry: &Expiry, read: ReadId) -> Vec<(M, Activity)> {
        let mut expired = Vec::new();
        let now = clock::now();
        let lifetime = expiry.lifetime.load(Ordering::Relaxed);
        self.settle_removed();
        let mut state = expiry.state();
        let state = &mut *state;
        for read in mem::take(&mut *expiry.delivered()) {
            state
                .last_uses
                .values_mut()
                .for_each(|last_use| last_use.deliver(read));
        }
        // Only the visible series have one afterwards.
        let mut last_uses = HashMap::default();
        self.for_each_in_list(|series| {
            let Some(activity) = self.activity(series) else {
                return;
            };
            let address = series.handle().series().address();
            let mut last_use = match state.last_uses.get(&address) {
                Some(last_use) if last_use.activity.is_same(&activity) => *last_use,
                _ => LastUse {
                    activity,
                    seen_at: now,
                    seen_by: read,
                    seen_tick: ReadId::next(),
                    is_delivered: false,
                },
            };
            let is_due = last_use.is_delivered && now.saturating_sub(last_use.seen_at) >= lifetime;
            if is_due {
                if series.handle().expire(&activity) {
                    expired.push((series.clone(), activity));
                    return;
                }
                last_use.seen_at = now;
            }
            last_uses.insert(address, last_use);
        });
        state.last_uses = last_uses;
        expired
    }

    /// Forgets the last use of a series that is retired: another series may get its address.
    pub(super) fn forget_last_use(&self, series: &M) {
        if let Some(expiry) = self.expiry.get() {
            let address = series.handle().series().address();
            expiry.state().last_uses.remove(&address);
        }
    }

    /// Records that a read was delivered completely.
    pub(crate) fn deliver(&self, read: ReadId) {
        if let Some(expiry) = self.expiry.get() {
            expiry.delivered().push(read);
        }
    }

    /// Returns what was recorded in a series, or `None` if it never expires.
    fn activity(&self, series: &M) -> Option<Activity> {
        let state = &series.handle().series().state;
        let labels = &series.handle().series().labels;
        let may_overflow = labels.as_str().contains(OVERFLOW);
        let has_overflow = may_overflow && self.info.values_of(labels).any(|v| v == OVERFLOW);
        if has_overflow || state.is_permanent() {
            return None;
        }
        series.handle().activity()
    }
}

#[cfg(test)]
#[cfg(not(tachometer_loom))]
mod tests;
