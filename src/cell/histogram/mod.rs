//! The cell of a histogram.
//!
//! A histogram starts with counts that all threads share. Once it is written so often that
//! threads contend for them, it gets a window: counts of a range of segments in a slot, which
//! each thread writes in its shard.

mod hot;
#[cfg(all(test, tachometer_loom))]
mod loom_models;
mod segment_counts;
mod window_range;

use std::ops::Range;

use crate::cell::atomic_f64::saturating_add;
use crate::cell::bucket_layout::{BucketLayout, CountKey, LARGEST_KEY, segment_from_key};
use crate::cell::count_and_sum::CountAndSum;
use crate::cell::extremes::Extremes;
use crate::cell::histogram::hot::{Baseline, HotCounts, Window};
use crate::cell::histogram::segment_counts::SegmentCounts;
use crate::cell::histogram::window_range::covering_range;
use crate::cell::reset_lock::with_reset_lock;
use crate::cell::sparse_counts::SparseCounts;
use crate::cell::sync::{AtomicU64, MutexGuard, OnceLock};
use crate::cell::write_rate::{WriteRate, is_sampled};
use crate::snapshot::{NativeBuckets, Totals};

/// How often all parts are read again because the minimum or the maximum changed meanwhile.
const MAX_ATTEMPTS: usize = 8;
/// Up to this many segments are read without a look at which of them were used.
const FEW_SEGMENTS: usize = 32;

const _: () = assert!(LARGEST_KEY <= SparseCounts::MAX_KEY);

#[derive(Debug)]
pub(crate) struct HistogramCell {
    extremes: Extremes,
    /// Count and sum of the values in `counts`.
    count: AtomicU64,
    sum: AtomicU64,
    /// The counts of values that are not counted in a window, by segment and by exponential
    /// bucket out of range: those of threads without a shard, and those that the fast path does
    /// not take.
    counts: SparseCounts,
    /// Set once the histogram is written often.
    hot: OnceLock<Box<HotCounts>>,
    rate: WriteRate,
}

impl HistogramCell {
    pub(crate) fn new() -> Self {
        Self {
            extremes: Extremes::new(),
            count: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            counts: SparseCounts::default(),
            hot: OnceLock::new(),
            rate: WriteRate::default(),
        }
    }

    /// Records a value, or returns false if it is not finite.
    #[inline]
    pub(crate) fn observe(&self, layout: &BucketLayout, value: f64) -> bool {
        // All unusual cases share one slow path, so that this one stays short.
        if let Some(hot) = self.hot.get()
            && let Some(segment) = layout.fast_segment_for(value)
            && hot.observe_first(segment, value, &self.extremes)
        {
            return true;
        }
        self.observe_slow(layout, value)
    }

    /// Records a value this many times, or returns false if it is not finite.
    #[cfg(feature = "metrics")]
    pub(crate) fn observe_many(&self, layout: &BucketLayout, value: f64, count: u32) -> bool {
        let is_valid = value.is_finite();
        if is_valid && count > 0 {
            self.count_shared(layout, layout.segment_for(value), value, count);
        }
        is_valid
    }

    /// Loads what [`read`](Self::read) is going to load, without waiting for it. If it is called
    /// for many histograms in a row, the processor fetches their memory at the same time.
    #[inline]
    pub(crate) fn prefetch(&self) {
        if let Some(hot) = self.hot.get() {
            hot.prefetch();
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
        let start = counts.len();
        let end = start + layout.bucket_count();
        counts.resize(end, 0);
        // The vector is also the scratch space, so that nothing is allocated.
        let mut out_of_range = Vec::new();
        let hot = self.lock_hot();
        let (totals, segments) = self.read_all(layout, hot.as_ref(), counts, &mut out_of_range);
        drop(hot);
        let (classic, segment_counts) = counts[start..].split_at_mut(layout.bucket_count());
        let segment_counts = &segment_counts[..segments.len()];
        let totals = with_valid_bounds(totals, segment_counts.iter().sum());
        layout.add_to_classic(segments.start, segment_counts, classic);
        let native = layout.native_counts(segments.start, segment_counts, &out_of_range);
        counts.truncate(end);
        (totals, native)
    }

    /// Removes all observations.
    ///
    /// A concurrent observation is either removed or kept in the counts; its value may stay in
    /// the sum or be missing from it, and from minimum and maximum. The sum of a window continues
    /// from its old value and keeps its precision.
    pub(crate) fn reset(&self, layout: &BucketLayout) {
        self.subtract_if(layout, |_, _| true);
    }

    /// Removes all observations if there are `expected`, and returns true. A concurrent
    /// observation either stays or makes this return false.
    pub(crate) fn reset_if(&self, layout: &BucketLayout, expected: u64) -> bool {
        self.subtract_if(layout, |count, is_consistent| {
            is_consistent && count == expected
        })
    }

    /// Removes the observations that it sees, if `condition` returns true for their number and
    /// for whether their sum is consistent. Returns the result of `condition`.
    fn subtract_if(
        &self,
        layout: &BucketLayout,
        condition: impl FnOnce(u64, bool) -> bool,
    ) -> bool {
        // Two resets must not subtract the same counts.
        with_reset_lock(|| {
            let mut hot = self.lock_hot();
            let mut memory = Vec::new();
            let mut counts = SegmentCounts::append(&mut memory, 0..layout.segment_count());
            let mut is_hot_consistent = true;
            let mut new_baseline = Baseline::default();
            if let Some((hot, baseline)) = &hot {
                let (sum, is_consistent) = hot.read(&mut counts);
                is_hot_consistent = is_consistent;
                new_baseline = Baseline::new(&counts, sum);
                baseline.subtract_from(&mut counts, sum);
            }
            let mut shared = Vec::new();
            let (shared_sum, is_consistent) = self.shared().read(|| {
                shared.clear();
                self.counts.for_each(|key, count| shared.push((key, count)));
                sum_of_segments(&shared)
            });
            let shared_count = sum_of_segments(&shared);
            let count = shared_count + counts.counts().iter().sum::<u64>();
            let is_confirmed = condition(count, is_hot_consistent && is_consistent);
            if is_confirmed {
                self.extremes.reset();
                if let Some((_, baseline)) = &mut hot {
                    **baseline = new_baseline;
                }
                self.counts.subtract(&shared);
                self.shared().subtract(shared_count, shared_sum);
            }
            is_confirmed
        })
    }

    #[cold]
    #[inline(never)]
    fn observe_slow(&self, layout: &BucketLayout, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let fast_segment = layout.fast_segment_for(value);
        if let Some(hot) = self.hot.get()
            && let Some(segment) = fast_segment
            && hot.observe(segment, value, &self.extremes)
        {
            return true;
        }
        let segment = fast_segment.unwrap_or_else(|| layout.segment_for(value));
        self.count_shared(layout, segment, value, 1);
        // Values that the fast path does not take are always counted here.
        if fast_segment.is_some() && is_sampled() {
            self.record_sample(layout);
        }
        true
    }

    /// Counts `count` observations of a finite value of this segment, outside of windows.
    #[inline]
    fn count_shared(&self, layout: &BucketLayout, segment: usize, value: f64, count: u32) {
        if let Some(key) = layout.out_of_range_key(value) {
            self.counts.add(key, count);
        }
        self.counts
            .add(CountKey::try_from(segment).unwrap_or(CountKey::MAX), count);
        self.extremes.include(value);
        let sum = (value * f64::from(count)).clamp(f64::MIN, f64::MAX);
        self.shared().add_many(sum, u64::from(count));
    }

    /// Records a sample of the values outside of windows, and makes a window if there are many.
    #[cold]
    fn record_sample(&self, layout: &BucketLayout) {
        match self.hot.get() {
            None if self.rate.record_sample(1) => self.make_hot(layout),
            Some(hot) if hot.needs_window() => self.add_window(layout),
            _ => {}
        }
    }

    /// Makes a window for the segments that most values were counted in, if there is a slot.
    pub(crate) fn make_hot(&self, layout: &BucketLayout) {
        match self.make_window(layout, |_| false) {
            Some(window) => {
                self.hot.get_or_init(|| Box::new(HotCounts::new(window)));
            }
            // Tries again after the time in which a series becomes busy.
            None => self.rate.restart(),
        }
    }

    /// Adds a window for the values outside of the windows.
    fn add_window(&self, layout: &BucketLayout) {
        if let Some(hot) = self.hot.get() {
            hot.add_window(|| self.make_window(layout, |segment| hot.contains(segment)));
        }
    }

    /// Returns a window for the segments that most values outside of windows were counted in,
    /// except for those for which `is_excluded` returns true.
    fn make_window(
        &self,
        layout: &BucketLayout,
        is_excluded: impl Fn(usize) -> bool,
    ) -> Option<Window> {
        let mut counts = vec![0; layout.segment_count()];
        self.counts.for_each(|key, count| {
            let segment = segment_from_key(key).filter(|segment| layout.has_fast_path(*segment));
            let segment = segment.filter(|segment| !is_excluded(*segment));
            if let Some(target) = segment.and_then(|segment| counts.get_mut(segment)) {
                *target += count;
            }
        });
        let is_empty = counts.iter().all(|count| *count == 0);
        (!is_empty).then(|| Window::take(covering_range(&counts)))?
    }

    fn shared(&self) -> CountAndSum<'_> {
        CountAndSum {
            count: &self.count,
            sum: &self.sum,
        }
    }

    /// Returns the counts in windows, if there are any, and their locked baseline.
    fn lock_hot(&self) -> Option<(&HotCounts, MutexGuard<'_, Baseline>)> {
        let hot = self.hot.get()?;
        Some((hot, hot.lock()))
    }

    /// Appends the counts of a range of segments to `memory`, followed by scratch space, and
    /// those of exponential buckets out of range to `out_of_range`. Returns the totals and the
    /// range, which contains all segments that were counted.
    fn read_all(
        &self,
        layout: &BucketLayout,
        hot: Option<&(&HotCounts, MutexGuard<'_, Baseline>)>,
        memory: &mut Vec<u64>,
        out_of_range: &mut Vec<(CountKey, u64)>,
    ) -> (Totals, Range<usize>) {
        let start = memory.len();
        let mut segments = self.used_segments(layout, hot.map(|(hot, _)| *hot));
        let mut attempt = 1;
        loop {
            memory.truncate(start);
            let mut counts = SegmentCounts::append(memory, segments.clone());
            let (min, max) = self.extremes.load();
            let shared_sum = self.read_shared(&mut counts, out_of_range);
            if let Some(shared_sum) = shared_sum {
                let mut sum = 0.0;
                if let Some((hot, baseline)) = hot {
                    let (hot_sum, _) = hot.read(&mut counts);
                    sum = baseline.subtract_from(&mut counts, hot_sum);
                }
                let totals = Totals {
                    sum: saturating_add(sum, shared_sum),
                    min,
                    max,
                };
                if self.extremes.load() == (min, max) || attempt >= MAX_ATTEMPTS {
                    return (totals, segments);
                }
            } else {
                // A segment outside the range was counted for the first time.
                segments = 0..layout.segment_count();
            }
            attempt += 1;
        }
    }

    /// Returns a range with all segments that were counted.
    fn used_segments(&self, layout: &BucketLayout, hot: Option<&HotCounts>) -> Range<usize> {
        let all = 0..layout.segment_count();
        if all.len() <= FEW_SEGMENTS {
            return all;
        }
        let (mut start, mut end) = (usize::MAX, 0);
        for window in hot.into_iter().flat_map(HotCounts::windows) {
            let segments = window.segments();
            (start, end) = (start.min(segments.start), end.max(segments.end));
        }
        self.counts.for_each(|key, _| {
            if let Some(segment) = segment_from_key(key) {
                (start, end) = (start.min(segment), end.max(segment + 1));
            }
        });
        start.min(end)..end.min(all.end)
    }

    /// Sets `counts` to the counts outside windows, and returns the sum of their values. Returns
    /// `None` if a segment is not in the range of `counts`.
    fn read_shared(
        &self,
        counts: &mut SegmentCounts<'_>,
        out_of_range: &mut Vec<(CountKey, u64)>,
    ) -> Option<f64> {
        let mut is_complete = true;
        let (sum, _) = self.shared().read(|| {
            counts.clear();
            out_of_range.clear();
            let mut sum = 0;
            self.counts
                .for_each(|key, count| match segment_from_key(key) {
                    Some(segment) => {
                        is_complete &= counts.add(segment, count);
                        sum += count;
                    }
                    None => out_of_range.push((key, count)),
                });
            sum
        });
        is_complete.then_some(sum)
    }
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
#[cfg(not(tachometer_loom))]
mod tests;
