//! The latest exemplars of a family's series.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::cell::Hasher;
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
    stored: Mutex<StoredExemplars>,
}

/// The exemplars of each series, sorted by bucket.
type StoredExemplars = HashMap<SeriesAddress, Vec<StoredExemplar>, Hasher>;

/// The address of a series. A series does not move, and removes its exemplars when it is
/// dropped.
pub(crate) type SeriesAddress = usize;

#[derive(Debug)]
struct StoredExemplar {
    bucket: usize,
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
        if !are_valid_exemplar_labels(labels) {
            return false;
        }
        if let Ok(mut stored) = self.stored.try_lock() {
            let exemplar = exemplar_mut(stored.entry(series).or_default(), bucket);
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
        let series = stored.get(&series).map(Vec::as_slice).unwrap_or_default();
        exemplars.extend(series.iter().map(|exemplar| Exemplar {
            series: index,
            bucket: exemplar.bucket,
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

    fn lock(&self) -> MutexGuard<'_, StoredExemplars> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the exemplar of a bucket, which is empty if there was none.
fn exemplar_mut(exemplars: &mut Vec<StoredExemplar>, bucket: usize) -> &mut StoredExemplar {
    let position = exemplars.partition_point(|exemplar| exemplar.bucket < bucket);
    if exemplars
        .get(position)
        .is_none_or(|exemplar| exemplar.bucket != bucket)
    {
        let empty = StoredExemplar {
            bucket,
            labels: String::new(),
            value: 0.0,
            timestamp: SystemTime::UNIX_EPOCH,
        };
        exemplars.insert(position, empty);
    }
    &mut exemplars[position]
}

/// Returns true if these can be the labels of an exemplar.
pub(crate) fn are_valid_exemplar_labels(labels: &[(&str, &str)]) -> bool {
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
