//! Counts of pieces for one thread: found by number, at once.

use crate::cell::grid::Key;
use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// Counts are made so many at a time, when the first of them is needed.
const CHUNK: usize = if cfg!(tachometer_loom) { 2 } else { 64 };

/// The counts of a grid's pieces.
#[derive(Debug)]
pub(crate) struct Pieces(Box<[OnceLock<Box<[AtomicU64; CHUNK]>>]>);

impl Pieces {
    pub(crate) fn new(pieces: usize) -> Self {
        let chunks = pieces.div_ceil(CHUNK);
        Self((0..chunks).map(|_| OnceLock::new()).collect())
    }

    /// Returns the count of a piece, if it has been made.
    #[inline]
    pub(crate) fn get(&self, piece: usize) -> Option<&AtomicU64> {
        let chunk = self.0.get(piece / CHUNK)?.get()?;
        Some(&chunk[piece % CHUNK])
    }

    /// Makes the count of a piece, and those around it.
    pub(crate) fn make(&self, piece: usize) {
        if let Some(chunk) = self.0.get(piece / CHUNK) {
            chunk.get_or_init(|| Box::new([const { 0 }; CHUNK].map(AtomicU64::new)));
        }
    }

    /// Returns the pieces that have counted, by number, and their counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        let chunks = (0..).step_by(CHUNK).zip(&self.0);
        chunks.flat_map(|(first, chunk): (Key, _)| {
            let counts = chunk.get().into_iter().flat_map(|chunk| chunk.iter());
            // Relaxed: the tally's Acquire loads ordered what came before them.
            let counts = counts.map(|count| count.load(Ordering::Relaxed));
            (first..).zip(counts).filter(|(_, count)| *count > 0)
        })
    }
}
