//! An append-only list whose readers never wait for its writer.

use crate::cell::sync::{AtomicUsize, OnceLock, Ordering};

/// The first chunk has one entry and each further chunk twice as many, so that a metric without
/// labels pays for one entry.
const MAX_CHUNKS: usize = if cfg!(tachometer_loom) {
    2
} else {
    OFFSET_BITS as usize + 1
};
/// The number of bits of a location that are the offset in its chunk.
const OFFSET_BITS: u32 = 27;

type Chunk<T> = Vec<OnceLock<T>>;

/// Where in a list an entry is: its chunk and the offset in it.
///
/// An index stores locations instead of positions, since converting a position takes a search
/// for the highest bit, which is slow on some processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location(u32);

impl Location {
    /// Returns the location of the entry at a position.
    fn from_position(position: usize) -> Self {
        let number = position + 1;
        let chunk = number.ilog2();
        let offset = u32::try_from(number - (1 << chunk)).unwrap_or(0);
        Self(chunk << OFFSET_BITS | offset)
    }

    /// Returns the location as a number for [`from_bits`](Self::from_bits).
    pub(crate) fn to_bits(self) -> u32 {
        self.0
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    fn chunk(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize
    }
}

/// An append-only list of up to 2^28 entries, which never move, so that readers need no lock.
pub(crate) struct List<T> {
    /// Not an array, so that a drop is a loop instead of code for each chunk.
    chunks: Vec<OnceLock<Chunk<T>>>,
    len: AtomicUsize,
}

impl<T> List<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: empty_slots(MAX_CHUNKS),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        // Acquire: pairs with the Release in `push`, so that every entry below the length is
        // visible.
        self.len.load(Ordering::Acquire)
    }

    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        self.get_at(Location::from_position(position))
    }

    #[inline]
    pub(crate) fn get_at(&self, location: Location) -> Option<&T> {
        let chunk = self.chunks.get(location.chunk())?.get()?;
        chunk.get(location.offset())?.get()
    }

    /// Appends an entry, and returns its location and a reference to it.
    ///
    /// Only one thread may call this at a time.
    ///
    /// # Panics
    ///
    /// Panics if the list is full, which takes more memory than machines have.
    pub(crate) fn push(&self, entry: T) -> (Location, &T) {
        let position = self.len.load(Ordering::Relaxed);
        let location = Location::from_position(position);
        let chunk = &self.chunks[location.chunk()];
        let slots = chunk.get_or_init(|| empty_slots(1 << location.chunk()));
        let entry = fill(&slots[location.offset()], entry);
        // Release: the entry is complete before the length counts it.
        self.len.store(position + 1, Ordering::Release);
        (location, entry)
    }
}

/// Returns slots for entries that are added later.
pub(crate) fn empty_slots<T>(count: usize) -> Vec<OnceLock<T>> {
    // A loop is less code than an iterator, and there is a copy for each type of entry.
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        slots.push(OnceLock::new());
    }
    slots
}

/// Stores an entry in an empty slot.
pub(crate) fn fill<T>(slot: &OnceLock<T>, entry: T) -> &T {
    slot.get_or_init(|| entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_positions_across_chunks() {
        let list = List::new();
        for number in 0..1_000 {
            let (location, entry) = list.push(number);
            assert_eq!(entry, &number);
            assert_eq!(
                list.get_at(Location::from_bits(location.to_bits())),
                Some(&number)
            );
        }
        assert_eq!(list.len(), 1_000);
        assert_eq!(list.get(123), Some(&123));
        assert_eq!(list.get(1_000), None);
    }
}
