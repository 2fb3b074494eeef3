//! The cell of a histogram.
//!
//! It begins with numbers that all threads share. Once it has observed enough to
//! show that it is used, each thread gets a lane with numbers of its own, and
//! threads no longer pass cache lines around.

use std::sync::PoisonError;

use crate::cell::atomic_totals::{AtomicTotals, join};
use crate::cell::bucket_layout::{BucketLayout, Key, LARGEST, piece_of};
use crate::cell::dense_counts::DenseCounts;
use crate::cell::sharded::Sharded;
use crate::cell::sparse_counts::SparseCounts;
use crate::cell::sync::{Mutex, OnceLock, Ordering};
use crate::cell::thread_number;
use crate::snapshot::{NativeBuckets, Totals};

/// A histogram that has observed so often gets lanes.
const HOT: u64 = 1_024;

const _: () = assert!(LARGEST <= SparseCounts::LARGEST);

#[derive(Debug)]
pub(crate) struct HistogramCell {
    /// What threads without a lane have observed, and others where a value has no
    /// place in theirs.
    tally: AtomicTotals,
    /// Its pieces, and the exponential buckets of far values.
    counts: SparseCounts,
    /// All that a histogram that is not much used has no need of.
    lanes: OnceLock<Sharded<Lane>>,
}

/// What one thread has observed; nobody else writes the first two.
#[derive(Debug)]
struct Lane {
    tally: AtomicTotals,
    pieces: DenseCounts,
    /// Used in the first lane only: in there, it takes no room of its own, and no
    /// thread has to pass it on the way to its lane.
    ///
    /// What the lanes had observed at the last reset: a lane is its thread's alone,
    /// so that a reset cannot set it to 0, and is taken off by readers instead.
    base: Mutex<Option<Base>>,
}

/// What the lanes of a histogram had observed.
#[derive(Debug)]
struct Base {
    /// The count of each piece.
    pieces: Box<[u64]>,
    sum: f64,
}

impl HistogramCell {
    pub(crate) fn new() -> Self {
        Self {
            tally: AtomicTotals::new(),
            counts: SparseCounts::default(),
            lanes: OnceLock::new(),
        }
    }

    /// Counts a value, or returns false if it is not finite.
    #[inline]
    pub(crate) fn observe(&self, grid: &BucketLayout, value: f64) -> bool {
        // Whatever is not as usual is left to one slow path, so that this one
        // stays short.
        if let Some(lanes) = self.lanes.get()
            && let Some(lane) = lanes.own()
            && let Some(piece) = grid.quick_piece(value)
            && let Some(count) = lane.pieces.get(piece)
        {
            // Relaxed: no one else stores here, and the tally's Release stores
            // publish it.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            lane.tally.add_alone(value);
            return true;
        }
        self.observe_slowly(grid, value)
    }

    /// Loads what a reading will, and waits for none of it: called for one histogram
    /// after the other, it lets the processor fetch the memory of many at once.
    #[inline]
    pub(crate) fn fetch(&self) {
        if let Some(lanes) = self.lanes.get() {
            for lane in lanes.iter() {
                if !lane.tally.is_empty() {
                    lane.pieces.fetch();
                }
            }
        }
        self.counts.fetch();
    }

    /// Appends the classic buckets' counts to `counts` and returns the rest.
    pub(crate) fn read(
        &self,
        grid: &BucketLayout,
        counts: &mut Vec<u64>,
    ) -> (Totals, Option<NativeBuckets>) {
        // The list is where the numbers are collected too, so that nothing has to be
        // allocated: first those of all pieces, then those of a part of the cell.
        let start = counts.len();
        counts.resize(start + 2 * grid.pieces(), 0);
        let (all, part) = counts[start..].split_at_mut(grid.pieces());
        let mut far = Vec::new();
        let mut totals = NOTHING;
        if let Some((lanes, base)) = self.lanes() {
            // Held while the numbers are read, so that a reset falls before or
            // after.
            let base = base.lock().unwrap_or_else(PoisonError::into_inner);
            totals = read_lanes(lanes, all, part);
            if let Some(base) = base.as_ref() {
                base.take_off(all, &mut totals);
            }
            totals = join(totals, self.read_shared(part, &mut far));
        } else {
            totals = join(totals, self.read_shared(part, &mut far));
        }
        add(all, part);
        let totals = bounded(totals, all.iter().sum());
        let native = grid.native_counts(all, &mut far);
        grid.add_up(all);
        counts.truncate(start + grid.buckets());
        (totals, native)
    }

    /// Forgets all observations.
    ///
    /// One that is under way meanwhile is either forgotten or kept as a count;
    /// its value may stay in the sum and the bounds, or be missing from them. The
    /// sums of lanes go on from what they were, and keep the precision of that.
    pub(crate) fn reset(&self, grid: &BucketLayout) {
        match self.lanes() {
            None => self.reset_shared(),
            Some((lanes, base)) => {
                let mut base = base.lock().unwrap_or_else(PoisonError::into_inner);
                for lane in lanes.iter() {
                    lane.tally.forget_bounds();
                }
                let mut pieces = vec![0; 2 * grid.pieces()];
                let (all, part) = pieces.split_at_mut(grid.pieces());
                let sum = read_lanes(lanes, all, part).sum;
                *base = Some(Base {
                    pieces: (&*all).into(),
                    sum,
                });
                self.reset_shared();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn observe_slowly(&self, grid: &BucketLayout, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if let Some(key) = grid.far(value) {
            self.counts.add(key);
        }
        let piece = grid.piece(value);
        self.counts.add(Key::try_from(piece).unwrap_or(Key::MAX));
        // Values that are not found quickly stay here, and need no lanes.
        if self.tally.add(value) >= HOT && grid.quick_piece(value).is_some() {
            self.warm(grid, piece);
        }
        true
    }

    /// Makes what the calling thread needs to count such values by itself.
    fn warm(&self, grid: &BucketLayout, piece: usize) {
        thread_number::lease();
        let lane = || Lane {
            tally: AtomicTotals::new(),
            pieces: DenseCounts::new(grid.pieces()),
            base: Mutex::new(None),
        };
        let lanes = self.lanes.get_or_init(|| Sharded::new(lane));
        if let Some(lane) = lanes.own() {
            lane.pieces.make(piece);
        }
    }

    /// Returns the lanes, if there are any, and what lies in the first of them.
    fn lanes(&self) -> Option<(&Sharded<Lane>, &Mutex<Option<Base>>)> {
        let lanes = self.lanes.get()?;
        let first = lanes.iter().next()?;
        Some((lanes, &first.base))
    }

    /// Reads what threads without a lane have observed: the counts of pieces into
    /// `pieces`, those of far values' buckets into `far`.
    fn read_shared(&self, pieces: &mut [u64], far: &mut Vec<(Key, u64)>) -> Totals {
        self.tally.read(|| {
            pieces.fill(0);
            far.clear();
            let mut sum = 0;
            self.counts.each(|key, count| {
                match piece_of(key).and_then(|piece| pieces.get_mut(piece)) {
                    Some(piece) => {
                        *piece += count;
                        sum += count;
                    }
                    None => far.push((key, count)),
                }
            });
            sum
        })
    }

    fn reset_shared(&self) {
        let counts = || self.counts.reset().collect::<Vec<_>>();
        self.tally.reset(|| sum_of_pieces(&counts()));
    }
}

impl Base {
    /// Takes off what had been observed before; the bounds are not of that time.
    fn take_off(&self, pieces: &mut [u64], totals: &mut Totals) {
        // What a lane has counted never falls.
        let pieces = pieces.iter_mut().zip(&self.pieces);
        pieces.for_each(|(piece, count)| *piece -= count);
        totals.sum -= self.sum;
    }
}

/// Adds the counts of all lanes to `all`; `part` is room for those of one.
fn read_lanes(lanes: &Sharded<Lane>, all: &mut [u64], part: &mut [u64]) -> Totals {
    let used = lanes.iter().filter(|lane| !lane.tally.is_empty());
    used.fold(NOTHING, |totals, lane| {
        let own = lane.tally.read(|| lane.pieces.read(part));
        add(all, part);
        join(totals, own)
    })
}

/// The totals of no observation.
const NOTHING: Totals = Totals {
    sum: 0.0,
    min: f64::INFINITY,
    max: f64::NEG_INFINITY,
};

fn add(all: &mut [u64], part: &[u64]) {
    let pieces = all.iter_mut().zip(part);
    pieces.for_each(|(piece, count)| *piece += count);
}

/// Returns the totals of `count` observations, all 0 where there are none.
fn bounded(mut totals: Totals, count: u64) -> Totals {
    if count == 0 {
        return Totals::default();
    }
    if totals.min > totals.max {
        // Every value counted so far was still under way, or raced with a reset: the
        // mean of what was summed up is the best there is.
        let mean = totals.sum / count as f64;
        (totals.min, totals.max) = (mean, mean);
    }
    totals
}

/// Returns the sum of the counts of pieces, which is that of all observations.
fn sum_of_pieces(counts: &[(Key, u64)]) -> u64 {
    let pieces = counts.iter().filter(|(key, _)| piece_of(*key).is_some());
    pieces.map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests;
