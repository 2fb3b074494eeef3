//! An append-only list with a hash index, whose readers never wait for its writer.
//!
//! Written by hand because maps that are read without a lock return guards, or copies, and not
//! references.

use crate::cell::sync::{AtomicU8, AtomicU64, AtomicUsize, OnceLock, Ordering};

/// The number of slots in the first table.
const FIRST_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 8 };
/// A table of up to this many slots is followed by one of twice its size, a larger table by one
/// of four times its size. Old tables are kept; together they are then a third of the current
/// one.
const SMALL_TABLE_SLOTS: usize = if cfg!(tachometer_loom) { 4 } else { 1_024 };
/// The number of tables; the last one has 2^32 slots.
const MAX_TABLES: usize = if cfg!(tachometer_loom) { 2 } else { 19 };

/// Entries in the order in which they were added, with an index of their hashes.
///
/// The entries are the slots of a hash table, so a reader gets from the hash to an entry with one
/// load. When the table is full enough, they are cloned into a larger table, which becomes the
/// current one. A reader that still uses the old table can miss an entry, but never finds a wrong
/// one. A caller that misses must look again under the writer's lock.
///
/// Entries are never moved or removed, so references to them stay valid without `unsafe`.
pub(crate) struct HashIndex<T> {
    /// Not an array, so that a drop is a loop instead of code for each table.
    tables: Vec<OnceLock<Table<T>>>,
    current: AtomicUsize,
    len: AtomicUsize,
}

struct Table<T> {
    /// A byte of the hash of each slot's entry; 0 if the slot is free. They are not in the slots,
    /// where the alignment of the entries would make them as large as the entries.
    ///
    /// `Relaxed`: an entry is published by its own lock.
    tags: Box<[AtomicU8]>,
    entries: Box<[OnceLock<T>]>,
    /// For each position of the list, the upper half of the entry's hash, which selects a slot,
    /// and the slot that the entry has.
    order: Box<[AtomicU64]>,
}

impl<T: Clone> HashIndex<T> {
    pub(crate) fn new() -> Self {
        Self {
            tables: empty_slots(MAX_TABLES),
            current: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        // Acquire: pairs with the Release in `insert`, so that every entry below the length is
        // visible.
        self.len.load(Ordering::Acquire)
    }

    /// Returns the entry that was added after `position` others.
    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        // The length first: the table that is current after that has all entries below it.
        if position >= self.len() {
            return None;
        }
        self.table()?.get(position)
    }

    /// Returns the first entry with this hash for which `matches` returns true.
    pub(crate) fn find(&self, hash: u64, matches: impl Fn(&T) -> bool) -> Option<&T> {
        self.table()?.candidates(hash).find(|entry| matches(entry))
    }

    /// Returns an entry that is usually the one with this hash, if there is one. It may have
    /// another hash, and `None` does not say that there is no entry.
    #[inline]
    pub(crate) fn guess(&self, hash: u64) -> Option<&T> {
        let table = self.table()?;
        let first = table.first_slot(hash >> 32);
        let found = table.tags[first].load(Ordering::Relaxed);
        // The next slot if the first one has another entry. A branch would be mispredicted.
        let slot = (first + usize::from(found != tag(hash))) & (table.tags.len() - 1);
        table.entries.get(slot)?.get()
    }

    /// Adds an entry and returns a reference to it.
    ///
    /// Only one thread may call this at a time.
    ///
    /// # Panics
    ///
    /// Panics if the index is full, which takes more memory than machines have.
    pub(crate) fn insert(&self, hash: u64, entry: T) -> &T {
        let len = self.len.load(Ordering::Relaxed);
        let mut current = self.current.load(Ordering::Relaxed);
        let mut table = self.tables[current].get_or_init(|| Table::empty(current));
        if len == table.order.len() {
            let old = table;
            current += 1;
            table = self.tables[current].get_or_init(|| Table::empty(current));
            old.clone_into(table);
            // Release: the new table is complete before a reader uses it. Otherwise a reader
            // might miss an entry that it has found before.
            self.current.store(current, Ordering::Release);
        }
        let entry = table.put(len, hash >> 32, tag(hash), entry);
        // Release: the entry is complete before the length counts it.
        self.len.store(len + 1, Ordering::Release);
        entry
    }

    /// Returns for how many entries of all tables `is_same` returns true: those with a hash, or
    /// all.
    ///
    /// No entry may be added at the same time.
    pub(crate) fn clones(&self, hash: Option<u64>, is_same: impl Fn(&T) -> bool) -> usize {
        let tables = self.tables.iter().filter_map(OnceLock::get);
        let clones = tables.map(|table| match hash {
            Some(hash) => table
                .candidates(hash)
                .filter(|entry| is_same(entry))
                .count(),
            None => {
                let entries = table.entries.iter().filter_map(OnceLock::get);
                entries.filter(|entry| is_same(entry)).count()
            }
        });
        clones.sum()
    }

    /// Returns the current table, unless there is no entry.
    #[inline]
    fn table(&self) -> Option<&Table<T>> {
        // Acquire: pairs with the Release in `insert`.
        let current = self.current.load(Ordering::Acquire);
        self.tables.get(current)?.get()
    }
}

impl<T: Clone> Table<T> {
    fn empty(table: usize) -> Self {
        let slots = slot_count(table);
        // Half of a small table stays free, so that the first slot is usually the right one; of
        // a large one, a quarter.
        let capacity = if slots <= SMALL_TABLE_SLOTS {
            slots / 2
        } else {
            slots / 4 * 3
        };
        Self {
            tags: (0..slots).map(|_| AtomicU8::new(0)).collect(),
            entries: empty_slots(slots).into(),
            order: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn get(&self, position: usize) -> Option<&T> {
        // Relaxed: the caller has seen the length, which is stored later.
        let word = self.order.get(position)?.load(Ordering::Relaxed);
        self.entries[lower_half(word)].get()
    }

    /// Returns the entries that may have this hash in the order in which they are searched.
    fn candidates(&self, hash: u64) -> impl Iterator<Item = &T> {
        // A table always has a free slot, which ends the search.
        let used = self.probe(hash >> 32).take_while(|(_, found)| *found != 0);
        used.filter(move |(_, found)| *found == tag(hash))
            .filter_map(|(slot, _)| self.entries[slot].get())
    }

    /// Stores an entry in a free slot.
    fn put(&self, position: usize, upper_half: u64, tag: u8, entry: T) -> &T {
        let free = self.probe(upper_half).find(|(_, found)| *found == 0);
        // There is one: the table has more slots than positions.
        let slot = free.map_or(0, |(slot, _)| slot);
        let entry = self.entries[slot].get_or_init(|| entry);
        self.tags[slot].store(tag, Ordering::Relaxed);
        let word = upper_half << 32 | slot as u64;
        self.order[position].store(word, Ordering::Relaxed);
        entry
    }

    /// Clones all entries into a larger table.
    fn clone_into(&self, table: &Self) {
        for (position, word) in self.order.iter().enumerate() {
            let word = word.load(Ordering::Relaxed);
            let slot = lower_half(word);
            if let Some(entry) = self.entries[slot].get() {
                let tag = self.tags[slot].load(Ordering::Relaxed);
                table.put(position, word >> 32, tag, entry.clone());
            }
        }
    }

    /// Returns the slots and their tags in the order in which they are searched, without an end.
    fn probe(&self, upper_half: u64) -> impl Iterator<Item = (usize, u8)> {
        let mask = self.tags.len() - 1;
        (self.first_slot(upper_half)..).map(move |slot| {
            let slot = slot & mask;
            (slot, self.tags[slot].load(Ordering::Relaxed))
        })
    }

    #[inline]
    fn first_slot(&self, upper_half: u64) -> usize {
        // A table's length is a power of two, and never more than 2^32.
        lower_half(upper_half) & (self.tags.len() - 1)
    }
}

/// Returns the number of slots of a table.
fn slot_count(table: usize) -> usize {
    let doublings = (SMALL_TABLE_SLOTS / FIRST_TABLE_SLOTS).ilog2() as usize;
    let fourfold = table.saturating_sub(doublings);
    FIRST_TABLE_SLOTS << (table.min(doublings) + 2 * fourfold)
}

/// Returns slots for entries that are added later.
fn empty_slots<T>(count: usize) -> Vec<OnceLock<T>> {
    // A loop is less code than an iterator, and there is a copy for each type of entry.
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        slots.push(OnceLock::new());
    }
    slots
}

/// Returns the byte of a hash that is stored with its slot. It is not 0, which marks a free slot.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "one byte is enough")]
fn tag(hash: u64) -> u8 {
    hash as u8 | 1
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it has 32 bits")]
fn lower_half(word: u64) -> usize {
    word as u32 as usize
}
