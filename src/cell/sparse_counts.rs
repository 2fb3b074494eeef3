//! Counts by key, for any thread and in little memory.
//!
//! A word holds a key and its count, so that a histogram that saw three
//! magnitudes keeps a few words. Words stand in nodes, one after the other, and are
//! claimed in order; so every thread that looks for a key passes the same words, and
//! finds it or claims the same free one.

use std::hint::black_box;

use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// A node has this many words, as many as a cache line.
const NODE_WORDS: usize = if cfg!(tachometer_loom) { 2 } else { 8 };
/// The bits of a word that count; the others are the key.
const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// A word that has counted this far is left alone, and its key gets another. The
/// bit above it takes up what threads add before they notice.
const FULL_COUNT: u64 = 1 << (COUNT_BITS - 1);

/// Counts by key.
#[derive(Debug, Default)]
pub(crate) struct SparseCounts(OnceLock<Box<Node>>);

#[derive(Debug)]
struct Node {
    words: [AtomicU64; NODE_WORDS],
    next: SparseCounts,
}

impl SparseCounts {
    /// The largest key.
    pub(crate) const MAX_KEY: u32 = (1 << (64 - COUNT_BITS)) - 2;

    /// Counts a key once.
    pub(crate) fn add(&self, key: u32) {
        // Not 0, so that a word that counts is never 0.
        let tag = (u64::from(key) + 1) << COUNT_BITS;
        let mut node = self.node();
        loop {
            if node.words.iter().any(|word| count_in(word, tag)) {
                return;
            }
            node = node.next.node();
        }
    }

    /// Loads the first word of for_each node.
    #[inline]
    pub(crate) fn fetch(&self) {
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        for word in nodes.filter_map(|node| node.words.first()) {
            black_box(word.load(Ordering::Relaxed));
        }
    }

    /// Calls `read` with all keys and their counts; a key may come more than once.
    #[inline]
    pub(crate) fn for_each(&self, mut read: impl FnMut(u32, u64)) {
        let mut next = self.0.get();
        while let Some(node) = next {
            for word in &node.words {
                // Relaxed: a key and its count are one word.
                let Some((key, count)) = key_and_count(word.load(Ordering::Relaxed)) else {
                    // Words are claimed in order.
                    return;
                };
                read(key, count);
            }
            next = node.next.0.get();
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
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        nodes.flat_map(|node| &node.words)
    }

    fn node(&self) -> &Node {
        self.0.get_or_init(|| {
            Box::new(Node {
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
    let matches = seen & !COUNT_MASK == tag && seen & COUNT_MASK < FULL_COUNT;
    if matches {
        // Acquire: pairs with the Release of a reset.
        word.fetch_add(1, Ordering::Acquire);
    }
    matches
}

fn key_and_count(word: u64) -> Option<(u32, u64)> {
    let key = u32::try_from(word >> COUNT_BITS).ok()?.checked_sub(1)?;
    Some((key, word & COUNT_MASK))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::thread;

    use super::*;

    fn totals(nodes: &SparseCounts) -> BTreeMap<u32, u64> {
        let mut totals = BTreeMap::new();
        nodes.for_each(|key, count| *totals.entry(key).or_default() += count);
        totals
    }

    fn len(nodes: &SparseCounts) -> usize {
        let mut len = 0;
        nodes.for_each(|_, _| len += 1);
        len
    }

    #[test]
    fn every_key_is_counted_by_every_thread_and_stands_once() {
        let nodes = SparseCounts::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..20_000 {
                        nodes.add(turn % 100);
                    }
                });
            }
        });
        assert_eq!(totals(&nodes), (0..100).map(|key| (key, 800)).collect());
        assert_eq!(len(&nodes), 100);

        assert_eq!(nodes.reset().count(), 100);
        nodes.add(SparseCounts::MAX_KEY);
        assert_eq!(totals(&nodes)[&SparseCounts::MAX_KEY], 1);
        assert_eq!(totals(&nodes)[&7], 0);
    }

    #[test]
    fn a_full_word_is_left_and_its_key_counted_on_elsewhere() {
        let nodes = SparseCounts::default();
        nodes.add(5);
        let word = nodes.words().next().unwrap();
        word.fetch_add(FULL_COUNT - 1, Ordering::Relaxed);
        nodes.add(5);
        nodes.add(5);
        assert_eq!(totals(&nodes)[&5], FULL_COUNT + 2);
        assert_eq!(len(&nodes), 2);
    }
}
