//! A hash index of positions, whose readers never wait for its writer.

use std::array;

use crate::cell::list::Place;
use crate::cell::sync::{AtomicU64, AtomicUsize, OnceLock, Ordering};

/// The first table has this many slots, each further one twice as many.
const FIRST: usize = if cfg!(tachometer_loom) { 4 } else { 8 };
const TABLES: usize = if cfg!(tachometer_loom) { 3 } else { 30 };
/// Up to this many slots, a table costs little.
const SMALL: usize = 1_024;

type Table = Box<[AtomicU64]>;

/// An append-only hash index from a hash to places in a
/// [`List`](crate::cell::List).
///
/// A slot is one word: half of the hash, and the place plus 1; an empty slot
/// is 0. When a table is full enough, its slots are copied into one twice as
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
            tables: array::from_fn(|_| OnceLock::new()),
            current: AtomicUsize::new(0),
        }
    }

    /// Returns what `pick` makes of the first place under `hash` for which it
    /// makes something.
    #[inline]
    pub(crate) fn find<T>(&self, hash: u64, pick: impl Fn(Place) -> Option<T>) -> Option<T> {
        // Acquire: pairs with the Release in `grow`, so that the table is complete.
        let table = self.tables[self.current.load(Ordering::Acquire)].get()?;
        let tag = tag(hash);
        // A table always has an empty slot, which ends the search.
        for slot in probe(table, tag) {
            // Acquire: pairs with the Release in `put`, so that what lies at the
            // place is there.
            let word = slot.load(Ordering::Acquire);
            if word == 0 {
                break;
            }
            if word >> 32 == tag
                && let Some(picked) = pick(place(word))
            {
                return Some(picked);
            }
        }
        None
    }

    /// Puts `place` under `hash`, which makes so many `entries` in all.
    ///
    /// The caller lets only one thread do this at a time.
    pub(crate) fn insert(&self, hash: u64, place: Place, entries: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let table = self.tables[current].get_or_init(|| empty(current));
        let word = (tag(hash) << 32) | (u64::from(place.number()) + 1);
        put(table, word);
        // Small tables have room to spare, so that the first slot is the right one;
        // of large ones, a quarter is left free.
        let full = if table.len() <= SMALL {
            table.len() / 4
        } else {
            table.len() / 4 * 3
        };
        if entries > full {
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
        // Release: the new table is complete before anyone looks into it. Without,
        // a reader might miss what is not copied yet, and take the slow path.
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

/// Returns the slots of a table, from the one where `tag` belongs, round and round.
#[inline]
fn probe(table: &[AtomicU64], tag: u64) -> impl Iterator<Item = &AtomicU64> {
    // A table's length is a power of two, and never more than 2^32.
    let mask = table.len() - 1;
    let home = usize::try_from(tag).unwrap_or(0);
    (home..).map(move |at| &table[at & mask])
}

/// Returns the half of a hash that is kept in the slot.
fn tag(hash: u64) -> u64 {
    hash >> 32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn place(word: u64) -> Place {
    Place::from_number((word as u32).wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::List;

    #[test]
    fn every_entry_is_found_even_when_all_hashes_are_alike() {
        for hash_of in [
            |n: usize| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |_| 7,
        ] {
            let index = Index::new();
            let list = List::new();
            let find = |number| {
                index.find(hash_of(number), |place| {
                    list.at(place).filter(|found| **found == number)
                })
            };
            for number in 0..500 {
                assert_eq!(find(number), None);
                let (place, _) = list.push(number);
                index.insert(hash_of(number), place, list.len());
            }
            for number in 0..500 {
                assert_eq!(find(number), Some(&number));
            }
        }
    }
}
