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

/// The number of writes per second from which on a series is busy. If it is 0, one sample
/// suffices.
static BUSY_RATE: AtomicU64 = AtomicU64::new(50_000);

/// Sets the number of writes per second from which on a series is busy, for tests and
/// benchmarks.
pub(crate) fn set_busy_rate(writes_per_second: u64) {
    BUSY_RATE.store(writes_per_second, std::sync::atomic::Ordering::Relaxed);
}

/// Counts a write of the calling thread, and returns true if the thread samples it.
#[inline]
pub(crate) fn is_sampled() -> bool {
    COUNTDOWN.with(|countdown| {
        let remaining = countdown.get();
        countdown.set(remaining.wrapping_sub(1));
        remaining == 0 && !cfg!(tachometer_loom)
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
    /// Records a sample, and returns true if the series is busy. `divisor` lowers the rate from
    /// which on it is.
    #[cold]
    pub(crate) fn record_sample(&self, divisor: u64) -> bool {
        restart_countdown();
        let rate = BUSY_RATE.load(std::sync::atomic::Ordering::Relaxed);
        rate == 0 || self.record_sample_at(clock::now(), rate / divisor)
    }

    fn record_sample_at(&self, now: u64, rate: u64) -> bool {
        let enough = (rate * INTERVAL_MILLIS / 1_000 / SAMPLE_DISTANCE).max(1);
        let interval = now / INTERVAL_MILLIS;
        let mut is_busy = false;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let samples = Samples::from_word(word).after_sample(interval, enough);
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
    /// Up to `MAX_SAMPLES`.
    samples: u32,
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
            samples: word >> Self::INTERVAL_BITS & Self::MAX_SAMPLES,
            busy_intervals: word >> (Self::INTERVAL_BITS + Self::SAMPLE_BITS),
        }
    }

    fn to_word(self) -> u32 {
        self.interval
            | self.samples << Self::INTERVAL_BITS
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
            let is_next = self.interval + 1 & Self::INTERVAL_MASK == interval;
            if !is_next || self.samples < enough {
                self.busy_intervals = 0;
            }
            (self.interval, self.samples) = (interval, 0);
        }
        self.samples = (self.samples + 1).min(Self::MAX_SAMPLES);
        if self.samples == enough {
            self.busy_intervals = (self.busy_intervals + 1).min(BUSY_INTERVALS);
        }
        self
    }
}

/// Chooses at random how many writes the calling thread makes before its next sample.
fn restart_countdown() {
    RANDOM.with(|random| {
        // The constants are those of Numerical Recipes. Only the upper bits are used.
        let next = random
            .get()
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        random.set(next);
        // From 128 to 383.
        COUNTDOWN.with(|countdown| countdown.set(128 + (next >> 24)));
    });
}
