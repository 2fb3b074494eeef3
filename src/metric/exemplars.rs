//! The latest exemplars of a family's series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::metric::name::Names;
use crate::snapshot::{Exemplar, Labels};

/// The largest number of characters in the names and values of an exemplar's labels
/// (OpenMetrics 1.0, "Exemplars").
const MAX_LABEL_CHARS: usize = 128;

/// The latest exemplar of each counter and of each bucket of a family.
///
/// They are stored apart from the series, so that a family without exemplars pays nothing for
/// them.
#[derive(Debug, Default)]
pub(crate) struct Exemplars {
    /// True if there are any, so that a scrape takes no lock if there are none. Relaxed: a
    /// scrape that sees it late shows the exemplars the next time.
    has_any: AtomicBool,
    /// By series, and by bucket.
    stored: Mutex<BTreeMap<SeriesAddress, BTreeMap<usize, StoredExemplar>>>,
}

/// The address of a series. A series does not move, and lives as long as its family.
pub(crate) type SeriesAddress = usize;

#[derive(Debug)]
struct StoredExemplar {
    /// The labels' text. The next exemplar reuses its memory.
    labels: String,
    value: f64,
    timestamp: SystemTime,
}

impl Exemplars {
    /// Stores an exemplar in place of the previous one. Returns false if its labels are not
    /// valid.
    ///
    /// An exemplar is dropped if the lock is taken: recording never waits.
    pub(crate) fn store(
        &self,
        series: SeriesAddress,
        bucket: usize,
        value: f64,
        labels: &[(&str, &str)],
    ) -> bool {
        if !are_valid(labels) {
            return false;
        }
        if let Ok(mut stored) = self.stored.try_lock() {
            let buckets = stored.entry(series).or_default();
            let exemplar = buckets.entry(bucket).or_insert_with(|| StoredExemplar {
                labels: String::new(),
                value,
                timestamp: SystemTime::UNIX_EPOCH,
            });
            exemplar.labels.clear();
            Labels::render(&mut exemplar.labels, labels.iter().copied());
            exemplar.value = value;
            exemplar.timestamp = SystemTime::now();
            self.has_any.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Appends the exemplars of one series; `index` is the series' index in its block.
    pub(crate) fn read(&self, series: SeriesAddress, index: usize, exemplars: &mut Vec<Exemplar>) {
        if !self.has_any.load(Ordering::Relaxed) {
            return;
        }
        let stored = self.lock();
        let buckets = stored.get(&series).into_iter().flatten();
        exemplars.extend(buckets.map(|(bucket, exemplar)| Exemplar {
            series: index,
            bucket: *bucket,
            labels: Labels::from_rendered(&exemplar.labels),
            value: exemplar.value,
            timestamp: exemplar.timestamp,
        }));
    }

    /// Removes the exemplars of one series.
    pub(crate) fn remove(&self, series: SeriesAddress) {
        if self.has_any.load(Ordering::Relaxed) {
            self.lock().remove(&series);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SeriesAddress, BTreeMap<usize, StoredExemplar>>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn are_valid(labels: &[(&str, &str)]) -> bool {
    let mut chars = 0;
    for (position, (name, value)) in labels.iter().enumerate() {
        chars += name.chars().count() + value.chars().count();
        let is_duplicate = labels[..position].iter().any(|(other, _)| other == name);
        if is_duplicate || chars > MAX_LABEL_CHARS || Names::Classic.check_label("", name).is_err()
        {
            return false;
        }
    }
    true
}
