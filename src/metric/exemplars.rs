//! The latest exemplars of a family's series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::metric::name::Names;
use crate::snapshot::{Exemplar, Labels};

/// So many characters the names and values of an exemplar's labels may have
/// together (OpenMetrics 1.0, "Exemplars").
const LONGEST: usize = 128;

/// One slot for each counter and each bucket that ever had an exemplar.
///
/// They lie beside the series and not in them, so that a family without exemplars
/// pays nothing for them.
#[derive(Debug, Default)]
pub(crate) struct Exemplars {
    /// Whether there are any, so that a scrape need not lock to learn of none.
    /// Relaxed: a scrape that sees it late shows them the next time.
    any: AtomicBool,
    /// By series, and by bucket.
    slots: Mutex<BTreeMap<SeriesAddress, BTreeMap<usize, Slot>>>,
}

/// The address of a series: it does not move, and lives as long as its family.
pub(crate) type SeriesAddress = usize;

#[derive(Debug)]
struct Slot {
    /// The labels' text, in memory that the next exemplar uses again.
    labels: String,
    value: f64,
    timestamp: SystemTime,
}

impl Exemplars {
    /// Keeps an exemplar in place of the one before it, and returns false when its
    /// labels are not valid.
    ///
    /// One that comes while the slots are in use is dropped: there will be others,
    /// and nobody who records ever waits.
    pub(crate) fn store(
        &self,
        owner: SeriesAddress,
        bucket: usize,
        value: f64,
        labels: &[(&str, &str)],
    ) -> bool {
        if !are_valid(labels) {
            return false;
        }
        if let Ok(mut slots) = self.slots.try_lock() {
            let own = slots.entry(owner).or_default();
            let slot = own.entry(bucket).or_insert_with(|| Slot {
                labels: String::new(),
                value,
                timestamp: SystemTime::UNIX_EPOCH,
            });
            slot.labels.clear();
            Labels::render(&mut slot.labels, labels.iter().copied());
            slot.value = value;
            slot.timestamp = SystemTime::now();
            self.any.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Appends the exemplars of one series, which is at position `series` of a
    /// block.
    pub(crate) fn read(&self, owner: SeriesAddress, series: usize, exemplars: &mut Vec<Exemplar>) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let slots = self.slots();
        let own = slots.get(&owner).into_iter().flatten();
        exemplars.extend(own.map(|(bucket, slot)| Exemplar {
            series,
            bucket: *bucket,
            labels: Labels::from_rendered(&slot.labels),
            value: slot.value,
            timestamp: slot.timestamp,
        }));
    }

    /// Forgets the exemplars of one series.
    pub(crate) fn remove(&self, owner: SeriesAddress) {
        if self.any.load(Ordering::Relaxed) {
            self.slots().remove(&owner);
        }
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<SeriesAddress, BTreeMap<usize, Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn are_valid(labels: &[(&str, &str)]) -> bool {
    let mut chars = 0;
    for (position, (name, value)) in labels.iter().enumerate() {
        chars += name.chars().count() + value.chars().count();
        let twice = labels[..position].iter().any(|(other, _)| other == name);
        if twice || chars > LONGEST || Names::Classic.check_label("", name).is_err() {
            return false;
        }
    }
    true
}
