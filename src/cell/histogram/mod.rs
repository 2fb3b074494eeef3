//! The cell of a histogram.
//!
//! It begins with numbers that all threads share. Once it has observed enough to
//! show that it is used, each thread gets a lane with numbers of its own, and
//! threads no longer pass cache lines around.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::cell::grid::{Grid, Key, LARGEST, sum_of_pieces};
use crate::cell::lanes::Lanes;
use crate::cell::pieces::Pieces;
use crate::cell::sheets::Sheets;
use crate::cell::sync::{Mutex, OnceLock, Ordering};
use crate::cell::tally::{Tally, join};
use crate::cell::thread;
use crate::snapshot::{NativeBuckets, Totals};

/// A histogram that has observed so often gets lanes.
const HOT: u64 = 1_024;

const _: () = assert!(LARGEST <= Sheets::LARGEST);

#[derive(Debug)]
pub(crate) struct HistogramCell {
    /// What threads without a lane have observed, and others where a value has no
    /// place in theirs.
    tally: Tally,
    /// Its pieces, and the exponential buckets of far values.
    counts: Sheets,
    more: OnceLock<Box<More>>,
}

#[derive(Debug)]
struct More {
    lanes: Lanes<Lane>,
    /// What the lanes had observed at the last reset: a lane is its thread's alone,
    /// so that a reset cannot set it to 0, and is taken off by readers instead.
    base: Mutex<Reading>,
}

#[derive(Debug)]
struct Lane {
    tally: Tally,
    pieces: Pieces,
}

/// What a histogram, or a part of it, has observed.
#[derive(Debug, Clone)]
struct Reading {
    counts: BTreeMap<Key, u64>,
    totals: Totals,
}

impl HistogramCell {
    pub(crate) fn new() -> Self {
        Self {
            tally: Tally::new(),
            counts: Sheets::default(),
            more: OnceLock::new(),
        }
    }

    /// Counts a value, or returns false if it is not finite.
    #[inline]
    pub(crate) fn observe(&self, grid: &Grid, value: f64) -> bool {
        // Whatever is not as usual is left to one slow path, so that this one
        // stays short.
        if let Some(more) = self.more.get()
            && let Some(lane) = more.lanes.own()
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

    /// Appends the classic buckets' counts to `counts` and returns the rest.
    pub(crate) fn read(
        &self,
        grid: &Grid,
        counts: &mut Vec<u64>,
    ) -> (Totals, Option<NativeBuckets>) {
        let reading = match self.more.get() {
            None => self.read_shared(),
            Some(more) => {
                // Held while the numbers are read, so that a reset falls before
                // or after.
                let base = more.base.lock().unwrap_or_else(PoisonError::into_inner);
                let mut reading = more.read();
                reading.take_off(&base);
                reading.join(&self.read_shared());
                reading
            }
        };
        let classic = grid.classic_counts(reading.counts());
        let count = classic.iter().sum();
        counts.extend(classic);
        (
            reading.bounded_totals(count),
            grid.native_counts(reading.counts()),
        )
    }

    /// Forgets all observations.
    ///
    /// One that is under way meanwhile is either forgotten or kept as a count;
    /// its value may stay in the sum and the bounds, or be missing from them. The
    /// sums of lanes go on from what they were, and keep the precision of that.
    pub(crate) fn reset(&self) {
        match self.more.get() {
            None => self.reset_shared(),
            Some(more) => {
                let mut base = more.base.lock().unwrap_or_else(PoisonError::into_inner);
                for lane in more.lanes.iter() {
                    lane.tally.forget_bounds();
                }
                *base = more.read();
                self.reset_shared();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn observe_slowly(&self, grid: &Grid, value: f64) -> bool {
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
    fn warm(&self, grid: &Grid, piece: usize) {
        thread::lease();
        let more = self.more.get_or_init(|| {
            let lane = || Lane {
                tally: Tally::new(),
                pieces: Pieces::new(grid.pieces()),
            };
            Box::new(More {
                lanes: Lanes::new(lane),
                base: Mutex::new(Reading::empty()),
            })
        });
        if let Some(lane) = more.lanes.own() {
            lane.pieces.make(piece);
        }
    }

    fn read_shared(&self) -> Reading {
        let mut reading = Reading::empty();
        reading.totals = self.tally.read(|| {
            reading.counts.clear();
            reading.add(self.counts.iter());
            sum_of_pieces(reading.counts.iter().map(pair))
        });
        reading
    }

    fn reset_shared(&self) {
        self.tally.reset(|| sum_of_pieces(self.counts.reset()));
    }
}

impl More {
    fn read(&self) -> Reading {
        let mut reading = Reading::empty();
        for lane in self.lanes.iter() {
            reading.join(&lane.read());
        }
        reading
    }
}

impl Lane {
    fn read(&self) -> Reading {
        let mut reading = Reading::empty();
        reading.totals = self.tally.read(|| {
            reading.counts.clear();
            reading.add(self.pieces.iter());
            reading.counts.values().sum()
        });
        reading
    }
}

impl Reading {
    fn empty() -> Self {
        Self {
            counts: BTreeMap::new(),
            totals: Totals {
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
            },
        }
    }

    fn counts(&self) -> impl Iterator<Item = (Key, u64)> {
        self.counts.iter().map(pair)
    }

    fn add(&mut self, counts: impl Iterator<Item = (Key, u64)>) {
        for (key, count) in counts {
            *self.counts.entry(key).or_default() += count;
        }
    }

    fn join(&mut self, other: &Self) {
        self.add(other.counts());
        self.totals = join(self.totals, other.totals);
    }

    /// Takes off what had been observed before; the bounds are not of that time.
    fn take_off(&mut self, base: &Self) {
        for (key, base) in &base.counts {
            if let Some(count) = self.counts.get_mut(key) {
                *count -= base;
            }
        }
        self.totals.sum -= base.totals.sum;
    }

    /// Returns the totals of `count` observations, all 0 where there are none.
    fn bounded_totals(&self, count: u64) -> Totals {
        if count == 0 {
            return Totals::default();
        }
        let mut totals = self.totals;
        if totals.min > totals.max {
            // Every value counted so far was still under way, or raced with a
            // reset: the mean of what was summed up is the best there is.
            let mean = totals.sum / count as f64;
            (totals.min, totals.max) = (mean, mean);
        }
        totals
    }
}

fn pair((key, count): (&Key, &u64)) -> (Key, u64) {
    (*key, *count)
}

#[cfg(test)]
mod tests;
