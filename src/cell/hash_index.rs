//! A hash index of a list, whose readers never wait for its writer.

use crate::cell::list::{List, Location, empty_slots, fill};
use crate::cell::sync::{AtomicU64, AtomicUsize, OnceLock, Ordering};

/// The number of slots in the first table.
const FIRST_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 8 };
/// A table of up to this many slots is followed by one of twice its size, a larger table by one
/// of four times its size. Old tables are kept; together they are then a third of the current
/// one.
const SMALL_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 1_024 };
/// The number of tables; the last one has 2^32 slots.
const MAX_TABLES: usize = if cfg!(tachometer_loom) { 3 } else { 19 };

/// An append-only hash index of the entries of a [`List`].
///
/// When a table is full enough, its slots are copied into a larger table, which becomes the
/// current one. A reader that still uses the old table can miss an entry, but never finds a wrong
/// one. A caller that misses must look again under the writer's lock.
pub(crate) struct Index<T> {
    tables: Vec<OnceLock<Table<T>>>,
    current: AtomicUsize,
}

struct Table<T> {
    /// A slot is one word: the upper half of the hash, and the location in the list plus 1. An
    /// empty slot is 0.
    slots: Box<[AtomicU64]>,
    /// A small table also has a copy of each slot's entry, which saves a reader two dependent
    /// loads in the list. In a large table this is empty.
    entries: Vec<OnceLock<T>>,
}

impl<T: Clone> Index<T> {
    pub(crate) fn new() -> Self {
        Self {
            tables: empty_slots(MAX_TABLES),
            current: AtomicUsize::new(0),
        }
    }

    /// Returns the first entry with this hash for which `matches` returns true.
    #[inline]
    pub(crate) fn find<'a>(
        &'a self,
        list: &'a List<T>,
        hash: u64,
        matches: impl Fn(&T) -> bool,
    ) -> Option<&'a T> {
        // Acquire: pairs with the Release in `grow`, so that the table is complete.
        let table = self.tables[self.current.load(Ordering::Acquire)].get()?;
        let tag = tag(hash);
        // A table always has an empty slot, which ends the search.
        for (index, slot) in probe(&table.slots, tag) {
            // Acquire: pairs with the Release in `put`, so that the entry at the location is
            // visible.
            let word = slot.load(Ordering::Acquire);
            if word == 0 {
                break;
            }
            if word >> 32 == tag {
                let entry = match table.entries.get(index) {
                    Some(entry) => entry.get(),
                    None => list.get_at(location(word)),
                };
                if let Some(entry) = entry.filter(|entry| matches(entry)) {
                    return Some(entry);
                }
            }
        }
        None
    }

    /// Returns how many copies of an entry with this hash the tables hold.
    pub(crate) fn copies(&self, hash: u64, is_same: impl Fn(&T) -> bool) -> usize {
        let current = self.current.load(Ordering::Relaxed);
        let tables = self.tables[..=current].iter().filter_map(OnceLock::get);
        let copies = |table: &Table<T>| {
            let used = probe(&table.slots, tag(hash))
                .take_while(|(_, slot)| slot.load(Ordering::Relaxed) != 0);
            let copies = used.filter_map(|(index, _)| table.entries.get(index)?.get());
            copies.filter(|copy| is_same(copy)).count()
        };
        tables.map(copies).sum()
    }

    /// Inserts the newest entry of the list, which is at `location`. `len` is the length of the
    /// list.
    ///
    /// Only one thread may call this at a time.
    pub(crate) fn insert(&self, hash: u64, location: Location, entry: &T, len: usize) {
        let current = self.current.load(Ordering::Relaxed);
        let table = self.tables[current].get_or_init(|| Table::empty(current));
        let word = (tag(hash) << 32) | (u64::from(location.to_bits()) + 1);
        table.put(word, Some(entry));
        // Half of a small table stays free, so that the first slot is usually the right one; of
        // a large one, a quarter.
        let capacity = match table.slots.len() {
            slots if slots <= SMALL_TABLE_SLOTS => slots / 2,
            slots => slots / 4 * 3,
        };
        if len > capacity {
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
        // Release: the new table is complete before a reader uses it. Otherwise a reader might
        // miss an entry that is not copied yet, and take the slow path.
        self.current.store(next, Ordering::Release);
    }
}

impl<T: Clone> Table<T> {
    fn empty(table: usize) -> Self {
        let slots = slot_count(table);
        let entries = if slots <= SMALL_TABLE_SLOTS { slots } else { 0 };
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            entries: empty_slots(entries),
        }
    }

    /// Stores a word in a free slot, and its entry if the table has entries.
    fn put(&self, word: u64, entry: Option<&T>) {
        let mut slots = probe(&self.slots, word >> 32);
        let free = slots.find(|(_, slot)| slot.load(Ordering::Relaxed) == 0);
        if let Some((index, slot)) = free {
            if let (Some(copy), Some(entry)) = (self.entries.get(index), entry) {
                fill(copy, entry.clone());
            }
            // Release: the entry is complete before a reader finds it.
            slot.store(word, Ordering::Release);
        }
    }
}

/// Returns the number of slots of a table.
fn slot_count(table: usize) -> usize {
    let doublings = (SMALL_TABLE_SLOTS / FIRST_TABLE_SLOTS).ilog2() as usize;
    let fourfold = table.saturating_sub(doublings);
    FIRST_TABLE_SLOTS << (table.min(doublings) + 2 * fourfold)
}

/// Returns the slots of a table in the order in which `tag` is searched, without an end.
#[inline]
fn probe(slots: &[AtomicU64], tag: u64) -> impl Iterator<Item = (usize, &AtomicU64)> {
    // A table's length is a power of two, and never more than 2^32.
    let mask = slots.len() - 1;
    let start = usize::try_from(tag).unwrap_or(0);
    (start..).map(move |index| (index & mask, &slots[index & mask]))
}

/// Returns the half of a hash that a slot stores.
fn tag(hash: u64) -> u64 {
    hash >> 32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is the location"
)]
fn location(word: u64) -> Location {
    Location::from_bits((word as u32).wrapping_sub(1))
}
