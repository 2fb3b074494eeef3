//! The counts of a histogram that is written often.

use std::ops::Range;
use std::sync::PoisonError;

use crate::cell::count_and_sum::CountAndSum;
use crate::cell::extremes::Extremes;
use crate::cell::histogram::segment_counts::SegmentCounts;
use crate::cell::shards::{Slot, Words};
use crate::cell::sync::{AtomicU64, Mutex, MutexGuard, OnceLock, Ordering};
use crate::cell::write_rate::WriteRate;

/// The number of windows that a histogram may get after the first.
const MORE_WINDOWS: usize = if cfg!(tachometer_loom) { 1 } else { 3 };
/// A histogram gets another window if the values outside of its windows exceed the rate of a busy
/// series divided by this.
const OUTSIDE_DIVISOR: u64 = 8;

/// The windows of a histogram, and what they had counted at its last reset.
#[derive(Debug)]
pub(super) struct HotCounts {
    first: Window,
    /// In the order in which they were made.
    more: [OnceLock<Window>; MORE_WINDOWS],
    /// Locked while the counts are read, so that a reset happens before or after.
    baseline: Mutex<Baseline>,
    /// How often values are outside of the windows.
    outside_rate: WriteRate,
}

/// The counts of a range of segments, in a slot: count and sum, then a word for each segment.
#[derive(Debug)]
pub(super) struct Window {
    first_segment: usize,
    pub(super) slot: Slot,
}

/// What the windows had counted at the last reset. A reset cannot set their words to 0, since
/// only their threads may write them, so readers subtract this instead.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    /// The segments whose count is not 0, and their counts.
    counts: Vec<(usize, u64)>,
    sum: f64,
}

impl HotCounts {
    pub(super) fn new(first: Window) -> Self {
        Self {
            first,
            more: Default::default(),
            baseline: Mutex::new(Baseline::default()),
            outside_rate: WriteRate::default(),
        }
    }

    /// Counts a positive value of at most 2^48. Returns false, and counts nothing, if its segment
    /// is outside of the first window, or if the calling thread has no words there.
    #[inline]
    pub(super) fn observe_first(&self, segment: usize, value: f64, extremes: &Extremes) -> bool {
        let words = self.first.slot.words();
        words.is_some_and(|words| self.first.observe(words, segment, value, extremes))
    }

    /// Does what [`observe_first`](Self::observe_first) does with any window, on a thread that
    /// may have no words yet.
    pub(super) fn observe(&self, segment: usize, value: f64, extremes: &Extremes) -> bool {
        let window = self.windows().find(|window| window.contains(segment));
        let words = window.and_then(|window| Some((window, window.slot.prepare()?)));
        words.is_some_and(|(window, words)| window.observe(words, segment, value, extremes))
    }

    /// Records a sample of the values outside of the windows. Returns true if there are so many
    /// that they should have a window.
    pub(super) fn needs_window(&self) -> bool {
        self.more.iter().any(|window| window.get().is_none())
            && self.outside_rate.record_sample(OUTSIDE_DIVISOR)
    }

    /// Adds a window, if there may be one more.
    pub(super) fn add_window(&self, make: impl FnOnce() -> Option<Window>) {
        // No two threads may add a window for the same values.
        let _guard = self.lock();
        if let Some(free) = self.more.iter().find(|window| window.get().is_none()) {
            match make() {
                Some(window) => {
                    free.get_or_init(|| window);
                }
                // Tries again after the time in which a series becomes busy.
                None => self.outside_rate.restart(),
            }
        }
    }

    /// Returns true if a window has this segment.
    pub(super) fn contains(&self, segment: usize) -> bool {
        self.windows().any(|window| window.contains(segment))
    }

    /// Locks the baseline, which prevents that the counts are reset meanwhile.
    pub(super) fn lock(&self) -> MutexGuard<'_, Baseline> {
        self.baseline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the counts of all windows to `counts`. Returns the sum of the values, and whether it
    /// is consistent with the counts.
    pub(super) fn read(&self, counts: &mut SegmentCounts<'_>) -> (f64, bool) {
        let (mut sum, mut is_consistent) = (0.0, true);
        for window in self.windows() {
            for words in window.slot.shards() {
                let (part, is_part_consistent) = window.read(words, counts);
                sum += part;
                is_consistent &= is_part_consistent;
            }
        }
        (sum, is_consistent)
    }

    /// Loads what [`read`](Self::read) is going to load, without waiting for it.
    pub(super) fn prefetch(&self) {
        /// The number of words in a cache line.
        const LINE_WORDS: usize = 8;

        for words in self.windows().flat_map(|window| window.slot.shards()) {
            for word in words.iter().step_by(LINE_WORDS).take(4) {
                std::hint::black_box(word.load(Ordering::Relaxed));
            }
        }
    }

    pub(super) fn windows(&self) -> impl Iterator<Item = &Window> {
        let more = self.more.iter().map_while(OnceLock::get);
        [&self.first].into_iter().chain(more)
    }
}

impl Window {
    /// The largest number of segments of a window.
    pub(super) const MAX_SEGMENTS: usize = Slot::MAX_LEN - 2;

    /// Takes a slot for these segments. Returns `None` if there is none.
    pub(super) fn take(segments: Range<usize>) -> Option<Self> {
        Some(Self {
            first_segment: segments.start,
            slot: Slot::take(segments.len() + 2)?,
        })
    }

    pub(super) fn segments(&self) -> Range<usize> {
        self.first_segment..self.first_segment + self.slot.len() - 2
    }

    fn contains(&self, segment: usize) -> bool {
        self.segments().contains(&segment)
    }

    #[inline]
    fn observe(&self, words: Words<'_>, segment: usize, value: f64, extremes: &Extremes) -> bool {
        let index = segment.wrapping_sub(self.first_segment);
        if index >= self.slot.len() - 2 {
            return false;
        }
        let (count, sum) = (words.get(0), words.get(1));
        let bucket = words.get(2 + index);
        let total = CountAndSum { count, sum };
        // Relaxed: the Release stores of extremes and sum publish it.
        if words.is_exclusive {
            bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            extremes.include(value);
            total.add_exclusive(value);
        } else {
            bucket.fetch_add(1, Ordering::Relaxed);
            extremes.include(value);
            total.add(value);
        }
        true
    }

    /// Adds the counts of one shard to `counts`. Returns the sum of the values, and whether it is
    /// consistent with the counts.
    fn read(&self, words: &[AtomicU64], counts: &mut SegmentCounts<'_>) -> (f64, bool) {
        let Some((total, words)) = split(words).filter(|(total, _)| !total.is_empty()) else {
            return (0.0, true);
        };
        let part = counts.part(self.segments());
        let sum = total.read(|| {
            // Relaxed: the Acquire loads of count and sum came before and order these.
            let loads = part.iter_mut().zip(words);
            loads.fold(0, |sum, (part, word)| {
                *part = word.load(Ordering::Relaxed);
                sum + *part
            })
        });
        counts.add_part(self.segments());
        sum
    }
}

impl Baseline {
    /// Creates the baseline of windows with these counts and this sum.
    pub(super) fn new(counts: &SegmentCounts<'_>, sum: f64) -> Self {
        let counts = counts.segments().zip(counts.counts().iter().copied());
        Self {
            counts: counts.filter(|(_, count)| *count > 0).collect(),
            sum,
        }
    }

    /// Subtracts the baseline from counts that were read later, and from their sum.
    pub(super) fn subtract_from(&self, counts: &mut SegmentCounts<'_>, sum: f64) -> f64 {
        for &(segment, count) in &self.counts {
            // Cannot underflow: the counts of a window never decrease.
            counts.subtract(segment, count);
        }
        sum - self.sum
    }
}

/// Returns count and sum, and the counts of the segments.
#[inline]
pub(super) fn split(words: &[AtomicU64]) -> Option<(CountAndSum<'_>, &[AtomicU64])> {
    let [count, sum, counts @ ..] = words else {
        return None;
    };
    Some((CountAndSum { count, sum }, counts))
}
