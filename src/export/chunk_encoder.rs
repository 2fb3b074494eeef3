//! A registry's exposition, a chunk at a time.

use std::fmt;

use crate::encode::{Buffer, Encode};
use crate::export::Export;
use crate::registry::RegistryReader;
use crate::snapshot::SeriesBlock;

/// A chunk is handed over once it is at least this long. It is then longer by what
/// one series adds, or one message of protobuf.
const CHUNK_LEN: usize = 60 * 1024;

/// So much memory a page is given at first: a chunk and what a series may add, so
/// that it seldom grows.
const BUFFER_CAPACITY: usize = 64 * 1024;

/// A registry's exposition in chunks of about 60 KiB, each made when it is asked for.
///
/// So a scrape of any size holds one chunk and one block of series, and whoever
/// takes it slowly holds no more.
pub(crate) struct ChunkEncoder {
    /// What is to be read. The reading begins with the first chunk, on the thread that makes it.
    export: Option<Export>,
    state: Option<ExportState>,
    is_last: bool,
    /// The block under way, and how many of its series have been written.
    current_block: Option<(SeriesBlock, usize)>,
    /// How many more series there may be.
    remaining_series: usize,
    buffer: Buffer,
}

/// A registry that is being read.
pub(super) struct ExportState {
    pub(super) reader: RegistryReader,
    pub(super) encoder: Box<dyn Encode + Send>,
}

impl ChunkEncoder {
    pub(super) fn new(export: Export) -> Self {
        Self {
            remaining_series: export.limit,
            export: Some(export),
            state: None,
            is_last: false,
            current_block: None,
            buffer: Buffer::default(),
        }
    }

    /// Returns the chunk that is there, empty before the first and after the last.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.buffer.written()
    }

    /// Returns true when the chunk that is there is the last.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Gives up the memory of the chunk, until the next is made.
    #[cfg(feature = "axum")]
    pub(crate) fn free_buffer(&mut self) {
        self.buffer = Buffer::default();
    }

    /// Makes the next chunk, which after the last is empty.
    pub(crate) fn next_chunk(&mut self) {
        self.buffer.clear();
        if self.buffer.capacity() == 0 {
            self.buffer = Buffer::with_capacity(BUFFER_CAPACITY);
        }
        if let Some(export) = self.export.take() {
            let mut reading = export.start();
            reading.encoder.start(&mut self.buffer);
            self.state = Some(reading);
        }
        let Some(mut reading) = self.state.take() else {
            return;
        };
        while !self.is_last && !self.is_full(&reading) {
            match self.current_block.take() {
                Some((block, written)) => self.write_series(&mut reading, block, written),
                None => self.next_block(&mut reading),
            }
        }
        self.state = (!self.is_last).then_some(reading);
    }

    /// Returns true when what one more series may add is not to be added.
    fn is_full(&self, reading: &ExportState) -> bool {
        self.buffer.len() + reading.encoder.max_pending() >= CHUNK_LEN
    }

    /// Goes on to the next block, or ends where there is none or no more are wanted.
    fn next_block(&mut self, reading: &mut ExportState) {
        match reading.reader.next() {
            Some(block) if self.remaining_series > 0 => {
                reading.encoder.block(&block, &mut self.buffer);
                self.current_block = Some((block, 0));
            }
            more => {
                reading.encoder.finish(more.is_some(), &mut self.buffer);
                self.is_last = true;
            }
        }
    }

    /// Writes series of a block, as many as the chunk takes and are wanted.
    fn write_series(&mut self, reading: &mut ExportState, block: SeriesBlock, mut written: usize) {
        let end = block
            .labels
            .len()
            .min(written.saturating_add(self.remaining_series));
        while written < end && !self.is_full(reading) {
            reading.encoder.series(&block, written, &mut self.buffer);
            written += 1;
            self.remaining_series -= 1;
        }
        if written < block.labels.len() && self.remaining_series == 0 {
            reading.encoder.finish(true, &mut self.buffer);
            self.is_last = true;
        } else if written < block.labels.len() {
            self.current_block = Some((block, written));
        }
    }
}

impl fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("left", &self.remaining_series)
            .finish_non_exhaustive()
    }
}
