//! Deltas: what was counted since the last export that was accepted.
//!
//! The numbers of an accepted request are the baselines of its series. A request that fails leaves
//! the baselines of its series as they are, so the next interval is longer and nothing is lost. If
//! the receiver accepts a request and the response is lost, the values are sent twice.

mod numbers;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::encode::end_of_interval;
use crate::snapshot::{Desc, SeriesBlock, unix_millis};
use numbers::Numbers;

/// A baseline is dropped once its series is missing from this many reads in a row. A collector that
/// panics once leaves its series out of one read.
const KEPT_READS: u64 = 3;

/// The numbers of each series at the end of its last interval. A clone is the same list.
///
/// They take about as much memory as the series of a block do, for each series of the last reads.
#[derive(Clone, Default)]
pub(super) struct SharedBaselines(Arc<Mutex<Baselines>>);

#[derive(Default)]
struct Baselines {
    /// By the name of the family, and by the text of the labels.
    families: HashMap<Box<str>, HashMap<Box<str>, Baseline>>,
    /// The number of complete reads.
    reads: u64,
}

/// The baselines that a request sets once it is accepted.
pub(super) struct PendingBaselines {
    time_millis: u64,
    series: Vec<(Arc<Desc>, Box<str>, Baseline)>,
}

struct Baseline {
    created_millis: u64,
    end_millis: u64,
    numbers: Numbers,
    /// Whether the values were lower in the last interval. Its difference was 0 then.
    is_decreased: bool,
    /// How many reads were complete before the last one with this series.
    last_read: u64,
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

    /// Records that all series were read, and drops the baselines of those that are gone.
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
            let mut baseline = family.as_mut().and_then(|family| family.get_mut(labels));
            if let Some(baseline) = &mut baseline {
                baseline.last_read = self.reads;
            }
            let created_millis = block.created_millis.get(series).copied().unwrap_or(0);
            let interval = Interval::new(baseline.as_deref(), numbers, created_millis);
            let end_millis = end_of_interval(pending.time_millis, interval.start_millis);
            interval.difference.write(&mut block.values, series);
            if let Some(created) = block.created_millis.get_mut(series) {
                *created = interval.start_millis;
            }
            let baseline = Baseline {
                created_millis,
                end_millis,
                numbers: interval.numbers,
                is_decreased: interval.is_decreased,
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
                    family.insert(labels, baseline);
                }
                None => {
                    let family = HashMap::from([(labels, baseline)]);
                    self.families.insert(desc.name().into(), family);
                }
            }
        }
    }

    fn finish_read(&mut self) {
        self.reads += 1;
        self.families.retain(|_, family| {
            family.retain(|_, baseline| self.reads - baseline.last_read <= KEPT_READS);
            !family.is_empty()
        });
    }

    /// Returns the number of baselines.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.families.values().map(HashMap::len).sum()
    }
}

/// What happened since the baseline.
struct Interval {
    start_millis: u64,
    difference: Numbers,
    /// The next baseline.
    numbers: Numbers,
    is_decreased: bool,
}

impl Interval {
    fn new(baseline: Option<&Baseline>, numbers: Numbers, created_millis: u64) -> Self {
        let end_millis = baseline.map_or(0, |baseline| baseline.end_millis);
        let mut interval = Self {
            start_millis: end_millis.max(created_millis),
            difference: numbers.clone(),
            numbers,
            is_decreased: false,
        };
        // A series that was reset or created again has another creation time.
        let Some(baseline) = baseline.filter(|last| last.created_millis == created_millis) else {
            return interval;
        };
        if let Some((difference, numbers)) = interval.numbers.since(&baseline.numbers) {
            interval.difference = difference;
            interval.numbers = numbers;
        } else if !baseline.is_decreased {
            // The values were read in the middle of a reset, before the creation time changed, or a
            // collector's values were reset. The next read tells.
            interval.difference = interval.numbers.zero();
            interval.numbers = baseline.numbers.clone();
            interval.is_decreased = true;
        }
        interval
    }
}
