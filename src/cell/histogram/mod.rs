//! The cell of a histogram.
//!
//! A histogram starts with counts that all threads share. Once it has observed enough to show
//! that it is used often, each thread gets a shard, and threads no longer contend for cache
//! lines.

use std::sync::PoisonError;

use crate::cell::atomic_totals::{AtomicTotals, merge};
use crate::cell::bucket_layout::{BucketLayout, CountKey, LARGEST_KEY, segment_from_key};
use crate::cell::dense_counts::DenseCounts;
use crate::cell::sharded::Sharded;
use crate::cell::sparse_counts::SparseCounts;
use crate::cell::sync::{Mutex, OnceLock, Ordering};
use crate::cell::thread_number;
use crate::snapshot::{NativeBuckets, Totals};

/// A histogram gets shards after this many observations.
const SHARD_THRESHOLD: u64 = 1_024;

const _: () = assert!(LARGEST_KEY <= SparseCounts::MAX_KEY);

#[derive(Debug)]
pub(crate) struct HistogramCell {
    /// The totals of values that are not counted in a shard: those of threads without one, and
    /// those that the fast path does not take.
    totals: AtomicTotals,
    /// The counts of these values, by segment and by exponential bucket out of range.
    counts: SparseCounts,
    /// Created once the histogram is used often.
    shards: OnceLock<Sharded<Shard>>,
}

/// What one thread has observed. No other thread writes the first two fields.
#[derive(Debug)]
struct Shard {
    totals: AtomicTotals,
    counts: DenseCounts,
    /// What all shards had observed at the last reset. A reset cannot set a shard to 0, since
    /// only its thread may write it, so readers subtract this instead.
    ///
    /// Only shard 0's copy is used. Stored here to save an allocation and to stay off the hot
    /// path.
    baseline: Mutex<Option<Baseline>>,
}

/// What the shards of a histogram had observed at a reset.
#[derive(Debug)]
struct Baseline {
    /// The count of each segment.
    counts: Box<[u64]>,
    sum: f64,
}

impl HistogramCell {
    pub(crate) fn new() -> Self {
        Self {
            totals: AtomicTotals::new(),
            counts: SparseCounts::default(),
            shards: OnceLock::new(),
        }
    }

    /// Records a value, or returns false if it is not finite.
    #[inline]
    pub(crate) fn observe(&self, layout: &BucketLayout, value: f64) -> bool {
        // All unusual cases share one slow path, so that this one stays short.
        if let Some(shards) = self.shards.get()
            && let Some(shard) = shards.current()
            && let Some(segment) = layout.fast_segment_for(value)
            && let Some(count) = shard.counts.get(segment)
        {
            // Relaxed: no other thread stores here, and the Release stores of the totals
            // publish it.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            shard.totals.add_exclusive(value);
            return true;
        }
        self.observe_slow(layout, value)
    }

    /// Loads what [`read`](Self::read) is going to load, without waiting for it. If it is called
    /// for many histograms in a row, the processor fetches their memory at the same time.
    #[inline]
    pub(crate) fn prefetch(&self) {
        if let Some(shards) = self.shards.get() {
            for shard in shards.iter() {
                if !shard.totals.is_empty() {
                    shard.counts.prefetch();
                }
            }
        }
        self.counts.prefetch();
    }

    /// Appends the counts of the classic buckets to `counts`, and returns the totals and the
    /// exponential buckets.
    pub(crate) fn read(
        &self,
        layout: &BucketLayout,
        counts: &mut Vec<u64>,
    ) -> (Totals, Option<NativeBuckets>) {
        // `counts` is also the scratch space, so that nothing is allocated: after the counts of
        // the classic buckets those of all segments, then those of one part of the cell.
        let start = counts.len();
        counts.resize(
            start + layout.bucket_count() + 2 * layout.segment_count(),
            0,
        );
        let (classic, segments) = counts[start..].split_at_mut(layout.bucket_count());
        let (all, part) = segments.split_at_mut(layout.segment_count());
        let mut out_of_range = Vec::new();
        let mut totals = EMPTY;
        // Held while the numbers are read, so that a reset happens before or after.
        let mut guard = None;
        if let Some((shards, baseline)) = self.shards() {
            let baseline = baseline.lock().unwrap_or_else(PoisonError::into_inner);
            totals = read_shards(shards, all, part);
            if let Some(baseline) = baseline.as_ref() {
                baseline.subtract_from(all, &mut totals);
            }
            guard = Some(baseline);
        }
        totals = merge(totals, self.read_shared(part, &mut out_of_range));
        drop(guard);
        add_counts(all, part);
        let totals = with_valid_bounds(totals, all.iter().sum());
        let native = layout.native_counts(0, all, &out_of_range);
        layout.add_to_classic(0, all, classic);
        counts.truncate(start + layout.bucket_count());
        (totals, native)
    }

    /// Removes all observations.
    ///
    /// A concurrent observation is either removed or kept in the counts; its value may stay in
    /// sum, minimum and maximum, or be missing from them. The sums of shards continue from their
    /// old values and keep their precision.
    pub(crate) fn reset(&self, layout: &BucketLayout) {
        match self.shards() {
            None => self.reset_shared(),
            Some((shards, baseline)) => {
                let mut baseline = baseline.lock().unwrap_or_else(PoisonError::into_inner);
                for shard in shards.iter() {
                    shard.totals.reset_min_max();
                }
                let mut counts = vec![0; 2 * layout.segment_count()];
                let (all, part) = counts.split_at_mut(layout.segment_count());
                let sum = read_shards(shards, all, part).sum;
                *baseline = Some(Baseline {
                    counts: (&*all).into(),
                    sum,
                });
                self.reset_shared();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn observe_slow(&self, layout: &BucketLayout, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if let Some(key) = layout.out_of_range_key(value) {
            self.counts.add(key);
        }
        let segment = layout.segment_for(value);
        self.counts
            .add(CountKey::try_from(segment).unwrap_or(CountKey::MAX));
        // Values that the fast path does not take are always counted here, and need no shards.
        if self.totals.add(value) >= SHARD_THRESHOLD && layout.fast_segment_for(value).is_some() {
            self.prepare_shard(layout, segment);
        }
        true
    }

    /// Allocates what the calling thread needs to count values of this segment in its shard.
    fn prepare_shard(&self, layout: &BucketLayout, segment: usize) {
        thread_number::lease();
        let new_shard = || Shard {
            totals: AtomicTotals::new(),
            counts: DenseCounts::new(layout.segment_count()),
            baseline: Mutex::new(None),
        };
        let shards = self.shards.get_or_init(|| Sharded::new(new_shard));
        if let Some(shard) = shards.current() {
            shard.counts.allocate(segment);
        }
    }

    /// Returns the shards, if there are any, and the baseline in the first one.
    fn shards(&self) -> Option<(&Sharded<Shard>, &Mutex<Option<Baseline>>)> {
        let shards = self.shards.get()?;
        let first = shards.iter().next()?;
        Some((shards, &first.baseline))
    }

    /// Reads what is not in a shard: the counts of segments into `segments`, those of exponential
    /// buckets out of range into `out_of_range`.
    fn read_shared(&self, segments: &mut [u64], out_of_range: &mut Vec<(CountKey, u64)>) -> Totals {
        self.totals.read(|| {
            segments.fill(0);
            out_of_range.clear();
            let mut sum = 0;
            self.counts.for_each(|key, count| {
                match segment_from_key(key).and_then(|segment| segments.get_mut(segment)) {
                    Some(segment) => {
                        *segment += count;
                        sum += count;
                    }
                    None => out_of_range.push((key, count)),
                }
            });
            sum
        })
    }

    fn reset_shared(&self) {
        let counts = || self.counts.reset().collect::<Vec<_>>();
        self.totals.reset(|| sum_of_segments(&counts()));
    }
}

impl Baseline {
    /// Subtracts the baseline. Minimum and maximum were reset with the shards.
    fn subtract_from(&self, counts: &mut [u64], totals: &mut Totals) {
        // Cannot underflow: the counts of a shard never decrease.
        let counts = counts.iter_mut().zip(&self.counts);
        counts.for_each(|(count, baseline)| *count -= baseline);
        totals.sum -= self.sum;
    }
}

/// Adds the counts of all shards to `all`. `part` is scratch space for the counts of one shard.
fn read_shards(shards: &Sharded<Shard>, all: &mut [u64], part: &mut [u64]) -> Totals {
    let used = shards.iter().filter(|shard| !shard.totals.is_empty());
    used.fold(EMPTY, |totals, shard| {
        let shard_totals = shard.totals.read(|| shard.counts.read(part));
        add_counts(all, part);
        merge(totals, shard_totals)
    })
}

/// The totals of no observation.
const EMPTY: Totals = Totals {
    sum: 0.0,
    min: f64::INFINITY,
    max: f64::NEG_INFINITY,
};

fn add_counts(all: &mut [u64], part: &[u64]) {
    let counts = all.iter_mut().zip(part);
    counts.for_each(|(sum, count)| *sum += count);
}

/// Returns the totals of `count` observations with a minimum that is at most the maximum, and 0
/// if there are none.
fn with_valid_bounds(mut totals: Totals, count: u64) -> Totals {
    if count == 0 {
        return Totals::default();
    }
    if totals.min > totals.max {
        // All counted observations are still in progress, or raced with a reset. Their mean is
        // the best estimate.
        let mean = totals.sum / count as f64;
        (totals.min, totals.max) = (mean, mean);
    }
    totals
}

/// Returns the sum of the counts of segments, which is the number of observations.
fn sum_of_segments(counts: &[(CountKey, u64)]) -> u64 {
    let segments = counts
        .iter()
        .filter(|(key, _)| segment_from_key(*key).is_some());
    segments.map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests;
