//! A list that only grows, and whose readers never wait for its writer.

use std::array;

use crate::cell::sync::{AtomicUsize, OnceLock, Ordering};

/// The first chunk holds this many entries, each further one twice as many.
const FIRST: usize = 4;
/// With this many chunks the list can hold 2^32 entries, as many as an
/// [`Index`](crate::cell::Index) can point at.
const CHUNKS: usize = if cfg!(tachometer_loom) { 2 } else { 31 };

type Chunk<T> = Box<[OnceLock<T>]>;

/// An append-only list: entries never move, so a reader needs no lock.
pub(crate) struct List<T> {
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    len: AtomicUsize,
}

impl<T> List<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: array::from_fn(|_| OnceLock::new()),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        // Acquire: pairs with the Release in `push`, so that every entry below
        // the length is there.
        self.len.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        let (chunk, offset) = place(position);
        self.chunks.get(chunk)?.get()?.get(offset)?.get()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).map_while(|position| self.get(position))
    }

    /// Appends an entry, and returns its position and the entry where it now lies.
    ///
    /// The caller lets only one thread do this at a time.
    pub(crate) fn push(&self, entry: T) -> (usize, &T) {
        let position = self.len.load(Ordering::Relaxed);
        let (chunk, offset) = place(position);
        let slots = self.chunks[chunk].get_or_init(|| {
            let slots = FIRST << chunk;
            (0..slots).map(|_| OnceLock::new()).collect()
        });
        let entry = slots[offset].get_or_init(|| entry);
        // Release: the entry is complete before the length counts it.
        self.len.store(position + 1, Ordering::Release);
        (position, entry)
    }
}

/// Returns in which chunk, and where in it, the entry at `position` lies.
#[inline]
fn place(position: usize) -> (usize, usize) {
    let shifted = position + FIRST;
    let chunk = (shifted.ilog2() - FIRST.ilog2()) as usize;
    (chunk, shifted - (FIRST << chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_positions_across_chunks() {
        let list = List::new();
        for number in 0..1_000 {
            assert_eq!(list.push(number), (number, &number));
        }
        assert_eq!(list.len(), 1_000);
        assert!(list.iter().copied().eq(0..1_000));
        assert_eq!(list.get(1_000), None);
    }
}
