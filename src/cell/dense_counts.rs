//! The counts of one thread's shard: an array with a count for each segment.

use std::hint::black_box;

use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// Counts are allocated in chunks of this size, when the first count of a chunk is needed.
const CHUNK: usize = if cfg!(tachometer_loom) { 2 } else { 64 };

/// The counts of all segments of a bucket layout.
#[derive(Debug)]
pub(crate) struct DenseCounts {
    /// Stored inline, next to the other fields that are read, since most histograms have one
    /// chunk.
    first: OnceLock<Chunk>,
    others: Box<[OnceLock<Chunk>]>,
    /// The number of segments.
    len: u32,
}

type Chunk = Box<[AtomicU64]>;

impl DenseCounts {
    pub(crate) fn new(segments: usize) -> Self {
        let others = segments.div_ceil(CHUNK).saturating_sub(1);
        Self {
            first: OnceLock::new(),
            others: (0..others).map(|_| OnceLock::new()).collect(),
            len: u32::try_from(segments).unwrap_or(u32::MAX),
        }
    }

    /// Returns the count of a segment, if its chunk is allocated.
    #[inline]
    pub(crate) fn get(&self, segment: usize) -> Option<&AtomicU64> {
        let chunk = self.chunk(segment)?.get()?;
        chunk.get(segment % CHUNK)
    }

    /// Allocates the chunk of a segment.
    pub(crate) fn allocate(&self, segment: usize) {
        if let Some(chunk) = self.chunk(segment) {
            // The last chunk may be shorter, so that no count is read that has no segment.
            let first = segment - segment % CHUNK;
            let len = CHUNK.min((self.len as usize).saturating_sub(first));
            chunk.get_or_init(|| (0..len).map(|_| AtomicU64::new(0)).collect());
        }
    }

    /// Loads the first cache lines of the first chunk, so that a later read finds them cached.
    #[inline]
    pub(crate) fn prefetch(&self) {
        /// The number of words in a cache line.
        const LINE_WORDS: usize = 8;

        if let Some(chunk) = self.first.get() {
            for count in chunk.iter().step_by(LINE_WORDS).take(2) {
                black_box(count.load(Ordering::Relaxed));
            }
        }
    }

    /// Reads the counts of all segments and returns their sum.
    pub(crate) fn read(&self, counts: &mut [u64]) -> u64 {
        let mut sum = 0;
        let chunks = [&self.first].into_iter().chain(&self.others);
        for (counts, chunk) in counts.chunks_mut(CHUNK).zip(chunks) {
            let Some(chunk) = chunk.get() else {
                counts.fill(0);
                continue;
            };
            for (target, count) in counts.iter_mut().zip(chunk) {
                // Relaxed: the Acquire loads of the totals came before and order these.
                *target = count.load(Ordering::Relaxed);
                sum += *target;
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
