//! Deltas: what was counted since the last export that was accepted.
//!
//! The numbers of an accepted request are the baselines of its series. A request that fails leaves
//! the baselines of its series as they are, so the next interval is longer and nothing is lost. If
//! the receiver accepts a request and the response is lost, the values are sent twice.

mod family;
mod numbers;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::encode::end_of_interval;
use crate::snapshot::{Desc, SeriesBlock, unix_millis};
use family::{Baseline, Family, Interval};
use numbers::Numbers;

/// The numbers of each series at the end of its last interval. A clone is the same list.
///
/// They take about as much memory as the series of a block do, for each series of the last read and
/// for computed series that are missing from it.
#[derive(Clone, Default)]
pub(super) struct SharedBaselines(Arc<Mutex<Baselines>>);

#[derive(Default)]
struct Baselines {
    /// By name.
    families: HashMap<Box<str>, Family>,
    /// The number of complete reads.
    reads: u64,
}

/// The baselines that a request sets once it is accepted.
#[derive(Default)]
pub(super) struct PendingBaselines {
    time_millis: u64,
    series: Vec<(Arc<Desc>, Box<str>, Baseline)>,
}

impl PendingBaselines {
    /// Makes an empty list for a request with values that were read at `time`.
    pub(super) fn new(time: SystemTime) -> Self {
        Self {
            time_millis: unix_millis(time),
            series: Vec::new(),
        }
    }
}

impl SharedBaselines {
    /// Replaces the values of a block by the differences to the baselines, and the creation times
    /// by the starts of the intervals. Gauges stay as they are.
    pub(super) fn subtract(&self, block: &mut SeriesBlock, pending: &mut PendingBaselines) {
        self.lock().subtract(block, pending);
    }

    /// Moves the baselines, after a request was accepted.
    pub(super) fn accept(&self, pending: PendingBaselines) {
        self.lock().accept(pending);
    }

    /// Records that all series were read, and drops baselines of those that are gone.
    pub(super) fn finish_read(&self) {
        self.lock().finish_read();
    }

    fn lock(&self) -> MutexGuard<'_, Baselines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedBaselines {
    /// Prints no label.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBaselines").finish_non_exhaustive()
    }
}

impl Baselines {
    fn subtract(&mut self, block: &mut SeriesBlock, pending: &mut PendingBaselines) {
        let mut family = self.families.get_mut(block.desc.name());
        for series in 0..block.labels.len() {
            let Some(numbers) = Numbers::read(&block.values, series) else {
                return;
            };
            let labels = block
                .labels
                .get(series)
                .map_or("", |labels| labels.as_str());
            let created_millis = block.created_millis.get(series).copied().unwrap_or(0);
            let is_unknown = family
                .as_ref()
                .is_some_and(|family| block.is_computed && family.may_have_dropped(created_millis));
            let baseline = family
                .as_mut()
                .and_then(|family| family.baselines.get_mut(labels));
            let interval = match baseline {
                Some(baseline) => {
                    baseline.last_read = self.reads;
                    Interval::since(baseline, numbers, created_millis)
                }
                None if is_unknown => Interval::unknown(numbers, pending.time_millis),
                None => Interval::first(numbers, created_millis),
            };
            interval.difference.write(&mut block.values, series);
            if let Some(created) = block.created_millis.get_mut(series) {
                *created = interval.start_millis;
            }
            let baseline = Baseline {
                created_millis,
                end_millis: end_of_interval(pending.time_millis, interval.start_millis),
                numbers: interval.numbers,
                is_computed: block.is_computed,
                last_read: self.reads,
            };
            pending
                .series
                .push((Arc::clone(&block.desc), labels.into(), baseline));
        }
    }

    fn accept(&mut self, pending: PendingBaselines) {
        for (desc, labels, baseline) in pending.series {
            match self.families.get_mut(desc.name()) {
                Some(family) => {
                    family.baselines.insert(labels, baseline);
                }
                None => {
                    let mut family = Family::default();
                    family.baselines.insert(labels, baseline);
                    self.families.insert(desc.name().into(), family);
                }
            }
        }
    }

    fn finish_read(&mut self) {
        let read = self.reads;
        self.reads += 1;
        // A registry keeps its families, so there is no need to remove empty ones.
        for family in self.families.values_mut() {
            family.drop_missing(read);
        }
    }

    /// Returns the number of baselines.
    #[cfg(test)]
    fn len(&self) -> usize {
        let families = self.families.values();
        families.map(|family| family.baselines.len()).sum()
    }
}
