//! A hash index of positions, whose readers never wait for its writer.

use std::sync::OnceLock;

use crate::cell::sync::{AtomicU64, AtomicUsize, Ordering};

/// The first table has this many slots, each further one twice as many.
const FIRST: usize = 8;
const TABLES: usize = 30;

type Table = Box<[AtomicU64]>;

/// An append-only hash index from a hash to positions in a
/// [`List`](crate::cell::List).
///
/// A slot is one word: half of the hash, and the position plus 1; an empty slot
/// is 0. When a table is half full, its slots are copied into one twice as
/// large, which becomes the current one. A reader that still looks into the old
/// table can only miss an entry, never find a wrong one, and whoever misses asks
/// again as a writer.
pub(crate) struct Index {
    tables: [OnceLock<Table>; TABLES],
    current: AtomicUsize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            tables: [const { OnceLock::new() }; TABLES],
            current: AtomicUsize::new(0),
        }
    }

    /// Returns the first position under `hash` that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        // Acquire: pairs with the Release in `grow`, so that the table is there.
        let table = self.tables[self.current.load(Ordering::Acquire)].get()?;
        let tag = tag(hash);
        for slot in probe(table, tag) {
            // Acquire: pairs with the Release in `put`, so that what lies at the
            // position is there.
            match slot.load(Ordering::Acquire) {
                0 => return None,
                word if word >> 32 == tag && is_it(position(word)) => {
                    return Some(position(word));
                }
                _ => {}
            }
        }
        None
    }

    /// Puts `position`, that of the newest entry, under `hash`.
    ///
    /// The caller lets only one thread do this at a time.
    pub(crate) fn insert(&self, hash: u64, position: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let table = self.tables[current].get_or_init(|| empty(current));
        let word = (tag(hash) << 32) | (position as u64 + 1);
        put(table, word);
        // Positions are given out in turn, so the newest tells how many there are.
        if (position + 1) * 2 > table.len() {
            self.grow(current);
        }
    }

    fn grow(&self, current: usize) {
        let (Some(old), Some(next)) = (self.tables[current].get(), self.tables.get(current + 1))
        else {
            return;
        };
        let new = next.get_or_init(|| empty(current + 1));
        for slot in old {
            match slot.load(Ordering::Relaxed) {
                0 => {}
                word => put(new, word),
            }
        }
        // Release: the new table is complete before anyone looks into it.
        self.current.store(current + 1, Ordering::Release);
    }
}

fn empty(table: usize) -> Table {
    (0..FIRST << table).map(|_| AtomicU64::new(0)).collect()
}

fn put(table: &[AtomicU64], word: u64) {
    for slot in probe(table, word >> 32) {
        if slot.load(Ordering::Relaxed) == 0 {
            // Release: the entry at that position is complete before it is found.
            slot.store(word, Ordering::Release);
            return;
        }
    }
}

/// Returns the slots of a table, from the one where `tag` belongs, once around.
fn probe(table: &[AtomicU64], tag: u64) -> impl Iterator<Item = &AtomicU64> {
    // A table's length is a power of two, and never more than 2^32.
    let mask = table.len() - 1;
    let home = usize::try_from(tag).unwrap_or(0) & mask;
    (0..=mask).map(move |step| &table[(home + step) & mask])
}

/// Returns the half of a hash that is kept in the slot.
fn tag(hash: u64) -> u64 {
    hash >> 32
}

fn position(word: u64) -> usize {
    let plus_one = word & u64::from(u32::MAX);
    usize::try_from(plus_one).unwrap_or(0).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_found_even_when_all_hashes_are_alike() {
        for hash_of in [
            |n: usize| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |_| 7,
        ] {
            let index = Index::new();
            for position in 0..500 {
                assert_eq!(index.find(hash_of(position), |at| at == position), None);
                index.insert(hash_of(position), position);
            }
            for position in 0..500 {
                let found = index.find(hash_of(position), |at| at == position);
                assert_eq!(found, Some(position));
            }
        }
    }
}
