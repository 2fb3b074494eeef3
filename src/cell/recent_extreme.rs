//! The cell of the lowest or the highest number of the last minute.

use std::array::from_fn;

use crate::cell::sync::{AtomicU64, Ordering};

/// Whether the lowest or the highest number is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Extreme {
    #[default]
    Lowest,
    Highest,
}

/// The length of a slot in milliseconds.
const SLOT_MILLIS: u64 = 5_000;
/// The slots of 60 seconds, and the current one.
const SLOTS: usize = 60 / 5 + 1;

/// The lowest or the highest number that was recorded in the last 60 seconds.
///
/// The slots are a ring buffer; each one covers five seconds and keeps the extreme of its
/// numbers. So a number counts for at least 60 seconds and for less than 65. Readers change
/// nothing.
///
/// A slot is one word with a number and the cycle of the ring buffer that it is from. A writer
/// replaces a number of an earlier cycle, and a reader ignores it. The words are independent of
/// each other, so `Relaxed` suffices.
#[derive(Debug)]
pub(crate) struct RecentExtremeCell {
    extreme: Extreme,
    slots: [AtomicU64; SLOTS],
}

impl RecentExtremeCell {
    pub(crate) fn new(extreme: Extreme) -> Self {
        Self {
            extreme,
            slots: from_fn(|_| AtomicU64::new(EMPTY)),
        }
    }

    /// Records a number that is neither negative nor NaN. `now` is in milliseconds.
    pub(crate) fn record(&self, value: f64, now: u64) {
        let (slot, cycle) = self.slot(now / SLOT_MILLIS);
        let keep = |word| {
            let value = match unpack(word, cycle) {
                Some(kept) => self.extreme.pick(kept, value),
                None => value,
            };
            let new = pack(value, cycle);
            (new != word).then_some(new)
        };
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, keep);
    }

    /// Returns the extreme of the last 60 to 65 seconds, if a number was recorded.
    pub(crate) fn load(&self, now: u64) -> Option<f64> {
        let last = now / SLOT_MILLIS;
        let periods = last.saturating_sub(SLOTS as u64 - 1)..=last;
        let numbers = periods.filter_map(|period| {
            let (slot, cycle) = self.slot(period);
            unpack(slot.load(Ordering::Relaxed), cycle)
        });
        numbers.reduce(|first, second| self.extreme.pick(first, second))
    }

    pub(crate) fn clear(&self) {
        for slot in &self.slots {
            slot.store(EMPTY, Ordering::Relaxed);
        }
    }

    /// Returns the slot of a period of five seconds, and the cycle of the period.
    fn slot(&self, period: u64) -> (&AtomicU64, u64) {
        let slots = SLOTS as u64;
        let index = usize::try_from(period % slots).unwrap_or_default();
        (&self.slots[index], period / slots % CYCLES + 1)
    }
}

impl Extreme {
    fn pick(self, first: f64, second: f64) -> f64 {
        match self {
            Self::Lowest => first.min(second),
            Self::Highest => first.max(second),
        }
    }
}

/// A slot without a number: cycles start at 1.
const EMPTY: u64 = 0;
/// The bits of the number; the bits above are the cycle, which repeats after two years.
const NUMBER_BITS: u32 = 44;
const CYCLES: u64 = (1 << (u64::BITS - NUMBER_BITS)) - 1;
/// The bit that is set if the number is in thousandths.
const IN_THOUSANDTHS: u64 = 1 << (NUMBER_BITS - 1);
const MAX_NUMBER: u64 = IN_THOUSANDTHS - 1;

/// Packs a number and a cycle into a word.
///
/// Whole numbers are exact and saturate at 8.7 × 10¹². Fractions are rounded to thousandths, and
/// to whole numbers from 8.7 × 10⁹ on.
fn pack(value: f64, cycle: u64) -> u64 {
    let thousandths = value * 1_000.0;
    let number = if value.fract() == 0.0 || thousandths >= MAX_NUMBER as f64 {
        rounded(value)
    } else {
        rounded(thousandths) | IN_THOUSANDTHS
    };
    cycle << NUMBER_BITS | number
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates"
)]
fn rounded(value: f64) -> u64 {
    (value.round() as u64).min(MAX_NUMBER)
}

/// Returns the number of a word if it is from this cycle.
fn unpack(word: u64, cycle: u64) -> Option<f64> {
    if word >> NUMBER_BITS != cycle {
        return None;
    }
    let number = (word & MAX_NUMBER) as f64;
    let is_whole = word & IN_THOUSANDTHS == 0;
    Some(if is_whole { number } else { number / 1_000.0 })
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_for_60_seconds_and_for_less_than_65() {
        for start in [0, 1, 4_999, 5_000, 12_345, 64_999, 65_000, 1 << 40] {
            let cell = RecentExtremeCell::new(Extreme::Lowest);
            assert_eq!(cell.load(start), None);
            cell.record(7.0, start);
            assert_eq!(cell.load(start), Some(7.0), "{start}");
            assert_eq!(cell.load(start + 60_000), Some(7.0), "{start}");
            assert_eq!(cell.load(start + 65_000), None, "{start}");
            // A number of the next cycle replaces it.
            cell.record(9.0, start + 65_000);
            assert_eq!(cell.load(start + 65_000), Some(9.0), "{start}");
            cell.clear();
            assert_eq!(cell.load(start + 65_000), None, "{start}");
        }
    }

    /// Compares with a model that keeps every number with its time.
    #[test]
    fn what_is_shown_is_the_extreme_of_the_last_60_to_65_seconds() {
        let mut random = fastrand::Rng::with_seed(5);
        for extreme in [Extreme::Lowest, Extreme::Highest] {
            let cell = RecentExtremeCell::new(extreme);
            let mut recorded: Vec<(u64, f64)> = Vec::new();
            let mut now = 0;
            for _ in 0..20_000 {
                now += match random.u32(0..100) {
                    0..60 => random.u64(0..2_000),
                    60..98 => random.u64(0..20_000),
                    _ => random.u64(0..200_000),
                };
                if random.bool() {
                    let value = random.u64(0..10_000) as f64 / 8.0;
                    recorded.push((now, value));
                    cell.record(value, now);
                }
                recorded.retain(|(time, _)| time + 65_000 > now);
                let extreme_since = |time: u64| {
                    let last = recorded.iter().filter(|(at, _)| at + time >= now);
                    let last = last.map(|(_, value)| *value);
                    last.reduce(|first, second| extreme.pick(first, second))
                };
                let shown = cell.load(now);
                assert_eq!(shown, cell.load(now), "a reader changed it");
                if let Some(expected) = extreme_since(60_000) {
                    let shown = shown.unwrap();
                    assert_eq!(extreme.pick(shown, expected), shown, "{now}");
                }
                if let Some(shown) = shown {
                    let most = extreme_since(65_000).unwrap();
                    assert_eq!(extreme.pick(shown, most), most, "{now}");
                }
            }
        }
    }

    #[test]
    fn numbers_are_kept_as_documented() {
        for (value, expected) in [
            (0.0, 0.0),
            (0.006, 0.006),
            (0.000_2, 0.0),
            (0.5, 0.5),
            (1.234_5, 1.235),
            (149_984.0, 149_984.0),
            (1_234_567_890.125, 1_234_567_890.125),
            (1e12, 1e12),
            (1e12 + 1.0, 1e12 + 1.0),
            (1e12 + 0.5, 1e12 + 1.0),
            (f64::MAX, MAX_NUMBER as f64),
            (f64::INFINITY, MAX_NUMBER as f64),
        ] {
            for extreme in [Extreme::Lowest, Extreme::Highest] {
                let cell = RecentExtremeCell::new(extreme);
                cell.record(value, 1);
                assert_eq!(cell.load(1), Some(expected), "{value}");
            }
        }
    }
}
