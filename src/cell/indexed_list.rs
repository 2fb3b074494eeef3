//! A list of entries that are found by a hash, or by the addresses of label values.

use crate::cell::address_key::{AddressKey, StoredKey};
use crate::cell::hash_index::HashIndex;
use crate::cell::sync::OnceLock;

/// How many keys of addresses a list keeps for each of its entries. The same text is at several
/// addresses if a program has a literal in several crates. A program that leaks strings reaches
/// the limit.
const ADDRESS_KEYS_PER_ENTRY: usize = 4;

/// Entries in the order in which they were added.
///
/// Entries are added and never moved, so that lookup and iteration take no lock.
pub(crate) struct IndexedList<T> {
    entries: HashIndex<T>,
    /// Clones of entries by the addresses of their label values. Created with the first of them.
    by_address: OnceLock<HashIndex<(StoredKey, T)>>,
}

impl<T: Clone> IndexedList<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: HashIndex::new(),
            by_address: OnceLock::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        self.entries.get(position)
    }

    /// Returns the first entry with this hash for which `matches` returns true.
    pub(crate) fn find(&self, hash: u64, matches: impl Fn(&T) -> bool) -> Option<&T> {
        self.entries.find(hash, matches)
    }

    /// Returns an entry that is usually the one with this hash, if there is one. It may have
    /// another hash, and `None` does not say that there is no entry.
    #[inline]
    pub(crate) fn guess(&self, hash: u64) -> Option<&T> {
        self.entries.guess(hash)
    }

    /// Returns all entries in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    /// Adds an entry and returns a reference to it.
    ///
    /// Only one thread may call this or [`insert_address`](Self::insert_address) at a time.
    pub(crate) fn insert(&self, hash: u64, entry: T) -> &T {
        self.entries.insert(hash, entry)
    }

    /// Returns the entry whose label values are at these addresses and for which `matches`
    /// returns true, if [`insert_address`](Self::insert_address) was called with it.
    pub(crate) fn find_address<const N: usize>(
        &self,
        key: AddressKey<N>,
        matches: impl Fn(&T) -> bool,
    ) -> Option<&T> {
        let index = self.by_address.get()?;
        let found = index.find(key.hash(), |(stored, entry)| {
            key.eq(stored) && matches(entry)
        });
        found.map(|(_, entry)| entry)
    }

    /// Returns an entry whose label values are at these addresses. `None` does not say that there
    /// is no such entry.
    #[inline]
    pub(crate) fn guess_address<const N: usize>(&self, key: AddressKey<N>) -> Option<&T> {
        let (stored, entry) = self.by_address.get()?.guess(key.hash())?;
        key.eq(stored).then_some(entry)
    }

    /// Returns true if the list takes further keys of addresses.
    pub(crate) fn has_address_capacity(&self) -> bool {
        let keys = self.by_address.get().map_or(0, HashIndex::len);
        keys < self.len() * ADDRESS_KEYS_PER_ENTRY
    }

    /// Lets [`find_address`](Self::find_address) find an entry.
    pub(crate) fn insert_address<const N: usize>(&self, key: AddressKey<N>, entry: T) {
        let index = self.by_address.get_or_init(HashIndex::new);
        index.insert(key.hash(), (key.to_stored(), entry));
    }

    /// Returns how many clones of an entry with this hash the list holds: 0 if `is_same` returns
    /// false for all entries.
    ///
    /// No entry may be added at the same time.
    pub(crate) fn references(&self, hash: u64, is_same: impl Fn(&T) -> bool) -> usize {
        let by_address = self
            .by_address
            .get()
            .map_or(0, |index| index.clones(None, |(_, entry)| is_same(entry)));
        self.entries.clones(Some(hash), is_same) + by_address
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_entry_is_found_even_if_all_hashes_collide() {
        for hash in [
            |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |_| 7,
            |n| n << 32,
            |n| n,
            |n| n << 32 | 7_u64,
            |_| u64::MAX,
        ] {
            let list = IndexedList::new();
            let find = |number| list.find(hash(number), |found| *found == number);
            for number in 0..2_000 {
                assert_eq!(find(number), None);
                assert_eq!(list.insert(hash(number), number), &number);
                assert_eq!(list.len() as u64, number + 1);
            }
            for number in 0..2_000 {
                assert_eq!(find(number), Some(&number));
            }
            assert!((0..2_000).all(|number| list.get(number) == Some(&(number as u64))));
            assert_eq!(list.get(2_000), None);
        }
    }

    /// Otherwise a lookup searches all slots of a small table for most entries.
    #[test]
    fn most_entries_are_guessed() {
        for entries in [1, 4, 18, 300, 6_000] {
            let list = IndexedList::new();
            let hash = |number: u64| {
                let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
            };
            for number in 0..entries {
                list.insert(hash(number), number);
            }
            let guessed = (0..entries).filter(|number| list.guess(hash(*number)) == Some(number));
            assert!(guessed.count() as u64 * 4 >= entries * 3, "of {entries}");
        }
    }

    #[test]
    fn entries_are_found_by_addresses_up_to_a_limit() {
        let list = IndexedList::new();
        let text: &'static str = "a text with many parts";
        let keys = || (1..=8).map(|len| AddressKey::new(&[&text[..len], &text[len..]]));
        assert!(!list.has_address_capacity());
        for number in [1, 2] {
            list.insert(number, number);
        }
        for (number, key) in (0..).zip(keys()) {
            let key = key.expect("a short text");
            assert!(list.has_address_capacity());
            assert_eq!(list.find_address(key, |_| true), None);
            list.insert_address(key, number);
        }
        assert!(!list.has_address_capacity());
        for (number, key) in (0..).zip(keys()) {
            let key = key.expect("a short text");
            assert_eq!(list.find_address(key, |_| true), Some(&number));
            assert_eq!(list.find_address(key, |_| false), None);
            assert!(list.guess_address(key).is_none_or(|found| *found == number));
        }
    }

    #[test]
    fn a_list_counts_its_clones_of_an_entry() {
        let list = IndexedList::new();
        let hash = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let key = AddressKey::new(&["a", "b"]).expect("short texts");
        for number in 0..3_000 {
            let entry = list.insert(hash(number), Arc::new(number));
            if number % 1_000 == 0 {
                list.insert_address(key, Arc::clone(entry));
            }
        }
        for number in 0..3_000 {
            let entry = list.find(hash(number), |other| **other == number);
            let entry = entry.expect("it was inserted");
            let clones = list.references(hash(number), |other| Arc::ptr_eq(other, entry));
            assert_eq!(Arc::strong_count(entry), clones, "{number}");
        }
        assert_eq!(list.references(7, |_| false), 0);
    }
}
