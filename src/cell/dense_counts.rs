//! Counts of segments for one thread: found by number, at once.

use std::hint::black_box;

use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// Counts are made so many at a time, when the first of them is needed.
const CHUNK: usize = if cfg!(tachometer_loom) { 2 } else { 64 };

/// The counts of a layout's segments.
#[derive(Debug)]
pub(crate) struct DenseCounts {
    /// Beside what else is read of a histogram, since most have no more.
    first: OnceLock<Chunk>,
    others: Box<[OnceLock<Chunk>]>,
    /// How many counts there are.
    counts: u32,
}

type Chunk = Box<[AtomicU64]>;

impl DenseCounts {
    pub(crate) fn new(segments: usize) -> Self {
        let others = segments.div_ceil(CHUNK).saturating_sub(1);
        Self {
            first: OnceLock::new(),
            others: (0..others).map(|_| OnceLock::new()).collect(),
            counts: u32::try_from(segments).unwrap_or(u32::MAX),
        }
    }

    /// Returns the count of a segment, if it has been made.
    #[inline]
    pub(crate) fn get(&self, segment: usize) -> Option<&AtomicU64> {
        let chunk = self.chunk(segment)?.get()?;
        chunk.get(segment % CHUNK)
    }

    /// Makes the count of a segment, and those around it.
    pub(crate) fn make(&self, segment: usize) {
        if let Some(chunk) = self.chunk(segment) {
            // Fewer where there are no more: these lie between what is read.
            let first = segment - segment % CHUNK;
            let len = CHUNK.min((self.counts as usize).saturating_sub(first));
            chunk.get_or_init(|| (0..len).map(|_| AtomicU64::new(0)).collect());
        }
    }

    /// Loads the first counts, which with more than one chunk are not all there are.
    #[inline]
    pub(crate) fn fetch(&self) {
        /// The words of a cache line.
        const LINE: usize = 8;

        if let Some(chunk) = self.first.get() {
            for count in chunk.iter().step_by(LINE).take(2) {
                black_box(count.load(Ordering::Relaxed));
            }
        }
    }

    /// Reads the counts of all segments, and returns their sum.
    pub(crate) fn read(&self, counts: &mut [u64]) -> u64 {
        let mut sum = 0;
        let chunks = [&self.first].into_iter().chain(&self.others);
        for (counts, chunk) in counts.chunks_mut(CHUNK).zip(chunks) {
            let Some(chunk) = chunk.get() else {
                counts.fill(0);
                continue;
            };
            for (read, count) in counts.iter_mut().zip(chunk) {
                // Relaxed: the tally's Acquire loads ordered what came before them.
                *read = count.load(Ordering::Relaxed);
                sum += *read;
            }
        }
        sum
    }

    #[inline]
    fn chunk(&self, segment: usize) -> Option<&OnceLock<Chunk>> {
        match segment / CHUNK {
            0 => Some(&self.first),
            number => self.others.get(number - 1),
        }
    }
}
