//! Counts by key, for all threads and in little memory.
//!
//! A word holds a key and its count, so a histogram with values of three magnitudes needs few
//! words. The words are in a linked list of nodes and are claimed in order. So every thread that
//! looks for a key visits the same words, and finds the key or claims the same free word.

use std::hint::black_box;

use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// The number of words in a node, which fill a cache line.
const NODE_WORDS: usize = if cfg!(tachometer_loom) { 2 } else { 8 };
/// The number of bits of a word that are the count; the others are the key.
const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// A word with this count is full, and its key gets another word. The highest bit takes what
/// threads add before they notice.
const FULL_COUNT: u64 = 1 << (COUNT_BITS - 1);

/// A map from keys to counts.
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

    /// Adds to the count of a key.
    pub(crate) fn add(&self, key: u32, count: u32) {
        // Plus 1, so that a claimed word is never 0.
        let tag = (u64::from(key) + 1) << COUNT_BITS;
        let mut node = self.get_or_create();
        loop {
            if node.words.iter().any(|word| add(word, tag, count)) {
                return;
            }
            node = node.next.get_or_create();
        }
    }

    /// Loads the first word of each node, so that a later read finds it cached.
    #[inline]
    pub(crate) fn prefetch(&self) {
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        for word in nodes.filter_map(|node| node.words.first()) {
            black_box(word.load(Ordering::Relaxed));
        }
    }

    /// Calls `visit` with each key and its count. A key may come more than once.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u32, u64)) {
        let mut next = self.0.get();
        while let Some(node) = next {
            for word in &node.words {
                // Relaxed: a key and its count are one word.
                let Some((key, count)) = key_and_count(word.load(Ordering::Relaxed)) else {
                    // Words are claimed in order.
                    return;
                };
                visit(key, count);
            }
            next = node.next.0.get();
        }
    }

    /// Subtracts counts that [`for_each`](Self::for_each) visited, in the same order. What was
    /// counted meanwhile stays.
    ///
    /// No two threads may subtract the same counts.
    pub(crate) fn subtract(&self, counts: &[(u32, u64)]) {
        for (word, &(_, count)) in self.words().zip(counts) {
            // Release: a thread that increments the rest must see what was reset before.
            word.fetch_sub(count, Ordering::Release);
        }
    }

    fn words(&self) -> impl Iterator<Item = &AtomicU64> {
        let nodes = std::iter::successors(self.0.get(), |node| node.next.0.get());
        nodes.flat_map(|node| &node.words)
    }

    fn get_or_create(&self) -> &Node {
        self.0.get_or_init(|| {
            Box::new(Node {
                words: std::array::from_fn(|_| AtomicU64::new(0)),
                next: Self::default(),
            })
        })
    }
}

/// Adds to the count of a word if it has this tag or is free. Returns false if it does neither.
fn add(word: &AtomicU64, tag: u64, count: u32) -> bool {
    let count = u64::from(count);
    // Relaxed: a key and its count are one word. What else an observation writes is published
    // by the Release stores of the totals.
    let mut current = word.load(Ordering::Relaxed);
    if current == 0 {
        match word.compare_exchange(0, tag + count, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            // Another thread claimed it, perhaps for the same key.
            Err(claimed) => current = claimed,
        }
    }
    let matches = current & !COUNT_MASK == tag && current & COUNT_MASK < FULL_COUNT;
    if matches {
        // Acquire: pairs with the Release of a reset.
        word.fetch_add(count, Ordering::Acquire);
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
    fn every_key_is_counted_by_every_thread_and_has_one_word() {
        let nodes = SparseCounts::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..20_000 {
                        nodes.add(turn % 100, 1);
                    }
                });
            }
        });
        assert_eq!(totals(&nodes), (0..100).map(|key| (key, 800)).collect());
        assert_eq!(len(&nodes), 100);

        let mut counts = Vec::new();
        nodes.for_each(|key, count| counts.push((key, count)));
        nodes.subtract(&counts);
        nodes.add(SparseCounts::MAX_KEY, 1);
        assert_eq!(totals(&nodes)[&SparseCounts::MAX_KEY], 1);
        assert_eq!(totals(&nodes)[&7], 0);
    }

    #[test]
    fn a_full_word_stays_and_its_key_gets_another_word() {
        let nodes = SparseCounts::default();
        nodes.add(5, 1);
        let word = nodes.words().next().unwrap();
        word.fetch_add(FULL_COUNT - 1, Ordering::Relaxed);
        nodes.add(5, 1);
        nodes.add(5, 1);
        assert_eq!(totals(&nodes)[&5], FULL_COUNT + 2);
        assert_eq!(len(&nodes), 2);
    }
}
