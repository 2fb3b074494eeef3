//! How often a series is written, and whether that is often enough to give it a slot.
//!
//! A clock is too slow to be read at each write. Instead a thread samples about one of 256 of
//! its writes to series without a slot. The distance between two samples is random, because a
//! service repeats its writes in a pattern: with a fixed distance, one of eight metrics could
//! get all samples. A series is busy if it got as many samples as 50,000 writes per second give
//! in each of four consecutive intervals of half a second.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;

use crate::cell::clock;
use crate::cell::sync::{AtomicU32, Ordering, thread_local};

/// The average number of writes of a thread from one sample to the next.
const SAMPLE_DISTANCE: u64 = 256;
/// The length of an interval in milliseconds.
const INTERVAL_MILLIS: u64 = 500;
/// The number of consecutive intervals after which a series is busy.
const BUSY_INTERVALS: u32 = 4;

/// The rate, in writes per second, above which a series is busy. If it is 0, each sample counts
/// as a busy interval.
static BUSY_RATE: AtomicU64 = AtomicU64::new(50_000);

/// Sets the rate, in writes per second, above which a series is busy, for tests and benchmarks.
pub(crate) fn set_busy_rate(writes_per_second: u64) {
    BUSY_RATE.store(writes_per_second, std::sync::atomic::Ordering::Relaxed);
}

/// Counts a write of the calling thread, and returns true if the thread samples it.
#[inline]
pub(crate) fn is_sampled() -> bool {
    COUNTDOWN.with(|countdown| {
        let remaining = countdown.get();
        if remaining == 0 {
            countdown.set(random_distance());
            return !cfg!(tachometer_loom);
        }
        countdown.set(remaining - 1);
        false
    })
}

thread_local! {
    /// The number of writes of the thread before its next sample.
    static COUNTDOWN: Cell<u32> = const { Cell::new(64) };
}

thread_local! {
    /// The state of the generator of random distances.
    static RANDOM: Cell<u32> = const { Cell::new(1) };
}

/// The samples of one series: the interval of the latest one, the number of samples in this
/// interval, and the number of consecutive intervals that had enough.
///
/// Relaxed: it publishes nothing.
#[derive(Debug, Default)]
pub(crate) struct WriteRate(AtomicU32);

impl WriteRate {
    /// Records a sample, and returns true if the rate of a busy series divided by `divisor` is
    /// exceeded.
    #[cold]
    pub(crate) fn record_sample(&self, divisor: u64) -> bool {
        let rate = BUSY_RATE.load(std::sync::atomic::Ordering::Relaxed);
        self.record_sample_at(clock::now(), rate / divisor)
    }

    /// Starts the measurement again.
    pub(crate) fn restart(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn record_sample_at(&self, now: u64, rate: u64) -> bool {
        let enough = (rate * INTERVAL_MILLIS / 1_000 / SAMPLE_DISTANCE).max(1);
        let mut is_busy = false;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let samples = Samples::from_word(word);
                let interval = match rate {
                    0 => u64::from(samples.interval) + 1,
                    _ => now / INTERVAL_MILLIS,
                };
                let samples = samples.after_sample(interval, enough);
                is_busy = samples.busy_intervals >= BUSY_INTERVALS;
                Some(samples.to_word())
            });
        is_busy
    }
}

/// The unpacked form of a [`WriteRate`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Samples {
    /// The number of the interval, modulo 2^12.
    interval: u32,
    /// The number of samples in the interval, up to `MAX_SAMPLES`.
    count: u32,
    /// Up to [`BUSY_INTERVALS`].
    busy_intervals: u32,
}

impl Samples {
    const INTERVAL_BITS: u32 = 12;
    const SAMPLE_BITS: u32 = 16;
    const MAX_SAMPLES: u32 = (1 << Self::SAMPLE_BITS) - 1;

    fn from_word(word: u32) -> Self {
        Self {
            interval: word & Self::INTERVAL_MASK,
            count: word >> Self::INTERVAL_BITS & Self::MAX_SAMPLES,
            busy_intervals: word >> (Self::INTERVAL_BITS + Self::SAMPLE_BITS),
        }
    }

    fn to_word(self) -> u32 {
        self.interval
            | (self.count << Self::INTERVAL_BITS)
            | self.busy_intervals << (Self::INTERVAL_BITS + Self::SAMPLE_BITS)
    }

    const INTERVAL_MASK: u32 = (1 << Self::INTERVAL_BITS) - 1;

    /// Returns the state after one more sample. `enough` is the number of samples of a busy
    /// interval.
    fn after_sample(mut self, interval: u64, enough: u64) -> Self {
        let enough = u32::try_from(enough).map_or(Self::MAX_SAMPLES, |n| n.min(Self::MAX_SAMPLES));
        #[expect(clippy::cast_possible_truncation, reason = "masked")]
        let interval = interval as u32 & Self::INTERVAL_MASK;
        if self.interval != interval {
            let is_next = (self.interval + 1) & Self::INTERVAL_MASK == interval;
            if !is_next || self.count < enough {
                self.busy_intervals = 0;
            }
            (self.interval, self.count) = (interval, 0);
        }
        self.count = (self.count + 1).min(Self::MAX_SAMPLES);
        if self.count == enough {
            self.busy_intervals = (self.busy_intervals + 1).min(BUSY_INTERVALS);
        }
        self
    }
}

/// Returns a random number of writes of the calling thread before its next sample.
#[cold]
fn random_distance() -> u32 {
    RANDOM.with(|random| {
        // The constants are those of Numerical Recipes. Only the upper bits are used.
        let next = random
            .get()
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        random.set(next);
        // From 128 to 383.
        128 + (next >> 24)
    })
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    const RATE: u64 = 50_000;
    /// The samples of an interval at this rate.
    const ENOUGH: u64 = RATE / 2 / SAMPLE_DISTANCE;

    /// Records samples, and returns true if the series is busy after one of them.
    fn record(rate: &WriteRate, interval: u64, samples: u64) -> bool {
        let now = interval * INTERVAL_MILLIS;
        (0..samples).fold(false, |is_busy, _| {
            rate.record_sample_at(now, RATE) | is_busy
        })
    }

    #[test]
    fn a_series_is_busy_after_four_busy_intervals_in_a_row() {
        for first in [0, 4_094, 1 << 40] {
            let rate = WriteRate::default();
            let busy = (first..first + 4).map(|interval| record(&rate, interval, ENOUGH));
            assert_eq!(busy.collect::<Vec<_>>(), [false, false, false, true]);
        }
    }

    #[test]
    fn a_quiet_interval_starts_the_count_again() {
        for samples in [0, ENOUGH - 1] {
            let rate = WriteRate::default();
            for interval in 0..100 {
                let is_quiet = interval % 4 == 3;
                let samples = if is_quiet { samples } else { 10 * ENOUGH };
                assert!(!record(&rate, interval, samples), "{interval}");
            }
        }
    }

    #[test]
    fn a_series_with_a_thousand_writes_per_second_is_not_busy_after_a_day() {
        let rate = WriteRate::default();
        let mut random = fastrand::Rng::with_seed(5);
        for interval in 0..24 * 60 * 60 * 2 {
            let samples = (0..500).filter(|_| random.u64(..SAMPLE_DISTANCE) == 0);
            assert!(!record(&rate, interval, samples.count() as u64));
        }
    }

    #[test]
    fn threads_sample_about_one_of_256_writes_at_random_distances() {
        let mut distances = Vec::new();
        let mut distance = 0;
        while distances.len() < 2_000 {
            distance += 1;
            if is_sampled() {
                distances.push(distance);
                distance = 0;
            }
        }
        let mean = distances.iter().sum::<u64>() / 2_000;
        assert!((245..268).contains(&mean), "{mean}");
        for period in [2, 7, 8, 12] {
            // Each of the writes that repeat in a pattern is sampled.
            let mut position = 0;
            let mut counts = vec![0; period];
            for distance in &distances {
                position = (position + usize::try_from(*distance).unwrap()) % period;
                counts[position] += 1;
            }
            let fair = 2_000 / period;
            let is_fair = |count: &usize| (fair / 2..fair * 2).contains(count);
            assert!(counts.iter().all(is_fair), "{period}: {counts:?}");
        }
    }
}
