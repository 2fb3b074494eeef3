//! Counts by key, for any thread and in little memory.
//!
//! A word holds a key and its count, so that a histogram that saw three
//! magnitudes keeps a few words. Words stand in sheets, one after the other, and are
//! claimed in order; so every thread that looks for a key passes the same words, and
//! finds it or claims the same free one.

use std::hint::black_box;

use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// A sheet has this many words, as many as a cache line.
const WORDS: usize = if cfg!(tachometer_loom) { 2 } else { 8 };
/// The bits of a word that count; the others are the key.
const COUNT: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT) - 1;
/// A word that has counted this far is left alone, and its key gets another. The
/// bit above it takes up what threads add before they notice.
const FULL: u64 = 1 << (COUNT - 1);

/// Counts by key.
#[derive(Debug, Default)]
pub(crate) struct SparseCounts(OnceLock<Box<Sheet>>);

#[derive(Debug)]
struct Sheet {
    words: [AtomicU64; WORDS],
    next: SparseCounts,
}

impl SparseCounts {
    /// The largest key.
    pub(crate) const LARGEST: u32 = (1 << (64 - COUNT)) - 2;

    /// Counts a key once.
    pub(crate) fn add(&self, key: u32) {
        // Not 0, so that a word that counts is never 0.
        let tag = (u64::from(key) + 1) << COUNT;
        let mut sheet = self.sheet();
        loop {
            if sheet.words.iter().any(|word| count_in(word, tag)) {
                return;
            }
            sheet = sheet.next.sheet();
        }
    }

    /// Loads the first word of each sheet.
    #[inline]
    pub(crate) fn fetch(&self) {
        let sheets = std::iter::successors(self.0.get(), |sheet| sheet.next.0.get());
        for word in sheets.filter_map(|sheet| sheet.words.first()) {
            black_box(word.load(Ordering::Relaxed));
        }
    }

    /// Calls `read` with all keys and their counts; a key may come more than once.
    #[inline]
    pub(crate) fn each(&self, mut read: impl FnMut(u32, u64)) {
        let mut next = self.0.get();
        while let Some(sheet) = next {
            for word in &sheet.words {
                // Relaxed: a key and its count are one word.
                let Some((key, count)) = key_and_count(word.load(Ordering::Relaxed)) else {
                    // Words are claimed in order.
                    return;
                };
                read(key, count);
            }
            next = sheet.next.0.get();
        }
    }

    /// Sets all counts to 0 and returns what they were; a count that races with it
    /// falls before or after.
    pub(crate) fn reset(&self) -> impl Iterator<Item = (u32, u64)> {
        // Release: whoever counts on from 0 must see what was forgotten before.
        let words = self.words();
        let words = words.map(|word| word.fetch_and(!COUNT_MASK, Ordering::Release));
        words.filter_map(key_and_count)
    }

    fn words(&self) -> impl Iterator<Item = &AtomicU64> {
        let sheets = std::iter::successors(self.0.get(), |sheet| sheet.next.0.get());
        sheets.flat_map(|sheet| &sheet.words)
    }

    fn sheet(&self) -> &Sheet {
        self.0.get_or_init(|| {
            Box::new(Sheet {
                words: std::array::from_fn(|_| AtomicU64::new(0)),
                next: Self::default(),
            })
        })
    }
}

/// Counts once in a word, if it is `tag`'s or can be made so.
fn count_in(word: &AtomicU64, tag: u64) -> bool {
    // Relaxed: a key and its count are one word. What else an observation writes is
    // published by the tally's Release stores.
    let mut seen = word.load(Ordering::Relaxed);
    if seen == 0 {
        match word.compare_exchange(0, tag + 1, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            // Another thread claimed it, perhaps for the same key.
            Err(now) => seen = now,
        }
    }
    let matches = seen & !COUNT_MASK == tag && seen & COUNT_MASK < FULL;
    if matches {
        // Acquire: pairs with the Release of a reset.
        word.fetch_add(1, Ordering::Acquire);
    }
    matches
}

fn key_and_count(word: u64) -> Option<(u32, u64)> {
    let key = u32::try_from(word >> COUNT).ok()?.checked_sub(1)?;
    Some((key, word & COUNT_MASK))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::thread;

    use super::*;

    fn totals(sheets: &SparseCounts) -> BTreeMap<u32, u64> {
        let mut totals = BTreeMap::new();
        sheets.each(|key, count| *totals.entry(key).or_default() += count);
        totals
    }

    fn len(sheets: &SparseCounts) -> usize {
        let mut len = 0;
        sheets.each(|_, _| len += 1);
        len
    }

    #[test]
    fn every_key_is_counted_by_every_thread_and_stands_once() {
        let sheets = SparseCounts::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..20_000 {
                        sheets.add(turn % 100);
                    }
                });
            }
        });
        assert_eq!(totals(&sheets), (0..100).map(|key| (key, 800)).collect());
        assert_eq!(len(&sheets), 100);

        assert_eq!(sheets.reset().count(), 100);
        sheets.add(SparseCounts::LARGEST);
        assert_eq!(totals(&sheets)[&SparseCounts::LARGEST], 1);
        assert_eq!(totals(&sheets)[&7], 0);
    }

    #[test]
    fn a_full_word_is_left_and_its_key_counted_on_elsewhere() {
        let sheets = SparseCounts::default();
        sheets.add(5);
        let word = sheets.words().next().unwrap();
        word.fetch_add(FULL - 1, Ordering::Relaxed);
        sheets.add(5);
        sheets.add(5);
        assert_eq!(totals(&sheets)[&5], FULL + 2);
        assert_eq!(len(&sheets), 2);
    }
}
