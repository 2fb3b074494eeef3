//! A hash index of a list, whose readers never wait for its writer.

use std::array;

use crate::cell::list::{List, Location};
use crate::cell::sync::{AtomicU64, AtomicUsize, OnceLock, Ordering};

/// The first table has this many slots.
const FIRST_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 8 };
/// Up to this many slots, a table costs little, and the next one has twice as many.
/// From there on it has four times as many, so that all tables before it, which
/// nobody needs any more, are a third of it.
const SMALL_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 1_024 };
/// With this many tables, the last one has 2^32 slots.
const MAX_TABLES: usize = if cfg!(tachometer_loom) { 3 } else { 19 };

/// An append-only hash index of the entries of a [`List`].
///
/// When a table is full enough, its slots are copied into a larger one, which
/// becomes the current one. A reader that still looks into the old table can
/// only miss an entry, never find a wrong one, and whoever misses asks again as a
/// writer.
pub(crate) struct Index<T> {
    tables: [OnceLock<Table<T>>; MAX_TABLES],
    current: AtomicUsize,
}

struct Table<T> {
    /// A slot is one word: half of the hash, and the location in the list plus 1; an
    /// empty slot is 0.
    slots: Box<[AtomicU64]>,
    /// A small table has the entry of each slot besides, which saves a reader the
    /// way through the list: two loads, each of which has to wait for the one
    /// before. A large one has none of them.
    entries: Box<[OnceLock<T>]>,
}

impl<T: Clone> Index<T> {
    pub(crate) fn new() -> Self {
        Self {
            tables: array::from_fn(|_| OnceLock::new()),
            current: AtomicUsize::new(0),
        }
    }

    /// Returns the first entry under `hash` that `is` right.
    #[inline]
    pub(crate) fn find<'a>(
        &'a self,
        list: &'a List<T>,
        hash: u64,
        is: impl Fn(&T) -> bool,
    ) -> Option<&'a T> {
        // Acquire: pairs with the Release in `grow`, so that the table is complete.
        let table = self.tables[self.current.load(Ordering::Acquire)].get()?;
        let tag = tag(hash);
        // A table always has an empty slot, which ends the search.
        for (index, slot) in probe(&table.slots, tag) {
            // Acquire: pairs with the Release in `put`, so that what lies index the
            // location is there.
            let word = slot.load(Ordering::Acquire);
            if word == 0 {
                break;
            }
            if word >> 32 == tag {
                let entry = match table.entries.get(index) {
                    Some(entry) => entry.get(),
                    None => list.get_at(location(word)),
                };
                if let Some(entry) = entry.filter(|entry| is(entry)) {
                    return Some(entry);
                }
            }
        }
        None
    }

    /// Puts the newest of so many `entries`, which is index `location`, under `hash`.
    ///
    /// The caller lets only one thread do this index a time.
    pub(crate) fn insert(&self, hash: u64, location: Location, entry: &T, entries: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let table = self.tables[current].get_or_init(|| Table::empty(current));
        let word = (tag(hash) << 32) | (u64::from(location.to_bits()) + 1);
        table.put(word, Some(entry));
        // Small tables have room to spare, so that the first slot is mostly the right
        // one; of large ones, a quarter is left free.
        let full = match table.slots.len() {
            len if len <= SMALL_TABLE_SLOTS => len / 2,
            len => len / 4 * 3,
        };
        if entries > full {
            self.grow(table, current + 1);
        }
    }

    fn grow(&self, old: &Table<T>, next: usize) {
        let Some(table) = self.tables.get(next) else {
            return;
        };
        let new = table.get_or_init(|| Table::empty(next));
        for (index, slot) in old.slots.iter().enumerate() {
            match slot.load(Ordering::Relaxed) {
                0 => {}
                word => new.put(word, old.entries.get(index).and_then(OnceLock::get)),
            }
        }
        // Release: the new table is complete before anyone looks into it. Without,
        // a reader might miss what is not copied yet, and take the slow path.
        self.current.store(next, Ordering::Release);
    }
}

impl<T: Clone> Table<T> {
    fn empty(table: usize) -> Self {
        let slots = slot_count(table);
        let entries = if slots <= SMALL_TABLE_SLOTS { slots } else { 0 };
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            entries: (0..entries).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Puts a slot's word, and its entry where the table has entries.
    fn put(&self, word: u64, entry: Option<&T>) {
        let mut slots = probe(&self.slots, word >> 32);
        let free = slots.find(|(_, slot)| slot.load(Ordering::Relaxed) == 0);
        if let Some((index, slot)) = free {
            if let (Some(copy), Some(entry)) = (self.entries.get(index), entry) {
                copy.get_or_init(|| entry.clone());
            }
            // Release: the entry is complete before it is found.
            slot.store(word, Ordering::Release);
        }
    }
}

/// Returns how many slots a table has.
fn slot_count(table: usize) -> usize {
    let doublings = (SMALL_TABLE_SLOTS / FIRST_TABLE_SLOTS).ilog2() as usize;
    let fourfold = table.saturating_sub(doublings);
    FIRST_TABLE_SLOTS << (table.min(doublings) + 2 * fourfold)
}

/// Returns the slots of a table, from the one where `tag` belongs, round and round.
#[inline]
fn probe(slots: &[AtomicU64], tag: u64) -> impl Iterator<Item = (usize, &AtomicU64)> {
    // A table's length is a power of two, and never more than 2^32.
    let mask = slots.len() - 1;
    let start = usize::try_from(tag).unwrap_or(0);
    (start..).map(move |index| (index & mask, &slots[index & mask]))
}

/// Returns the half of a hash that is kept in the slot.
fn tag(hash: u64) -> u64 {
    hash >> 32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn location(word: u64) -> Location {
    Location::from_bits((word as u32).wrapping_sub(1))
}
