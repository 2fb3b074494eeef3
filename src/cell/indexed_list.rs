//! An append-only list with a hash index, whose readers never wait for its writer.

use crate::cell::hash_index::Index;
use crate::cell::list::List;

/// Entries in the order in which they were added, with an index of their hashes.
///
/// Entries are added and never moved, so that lookup and iteration take no lock.
pub(crate) struct IndexedList<T> {
    entries: List<T>,
    index: Index<T>,
}

impl<T: Clone> IndexedList<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: List::new(),
            index: Index::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        self.entries.get(position)
    }

    /// Returns the first entry with this hash for which `matches` returns true.
    #[inline]
    pub(crate) fn find(&self, hash: u64, matches: impl Fn(&T) -> bool) -> Option<&T> {
        self.index.find(&self.entries, hash, matches)
    }

    /// Returns all entries in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    /// Returns how many clones of an entry with this hash the list holds: 0 if `is_same` returns
    /// false for all entries.
    ///
    /// No entry may be added at the same time.
    pub(crate) fn references(&self, hash: u64, is_same: impl Fn(&T) -> bool) -> usize {
        let entries = usize::from(self.find(hash, &is_same).is_some());
        entries + self.index.copies(hash, is_same)
    }

    /// Adds an entry and returns a reference to it.
    ///
    /// Only one thread may call this at a time.
    pub(crate) fn insert(&self, hash: u64, entry: T) -> &T {
        let (location, entry) = self.entries.push(entry);
        self.index.insert(hash, location, entry, self.entries.len());
        entry
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_even_if_all_hashes_collide() {
        for hash in [
            |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |_| 7,
            |n| n << 32,
            |_| u64::MAX,
        ] {
            let list = IndexedList::new();
            let find = |number| list.find(hash(number), |found| *found == number);
            for number in 0..2_000 {
                assert_eq!(find(number), None);
                assert_eq!(list.insert(hash(number), number), &number);
            }
            for number in 0..2_000 {
                assert_eq!(find(number), Some(&number));
            }
            assert!((0..2_000).all(|number| list.get(number) == Some(&(number as u64))));
        }
    }
}
