//! Encodes a registry one chunk at a time.

use std::fmt;

use crate::encode::{Buffer, Encode};
use crate::export::Export;
use crate::registry::{BlockReader, Delivery};
use crate::snapshot::SeriesBlock;

/// A chunk ends when it is at least this long. It may be longer by one series, or by one protobuf
/// message.
const CHUNK_LEN: usize = 60 * 1024;

/// The initial capacity of the buffer: a chunk and one more series, so that it rarely grows.
const BUFFER_CAPACITY: usize = 64 * 1024;

/// Encodes a registry in chunks of about 60 KiB, each when it is requested.
///
/// A scrape of any size holds one chunk and one block of series in memory, however slowly the
/// client reads.
pub(crate) struct ChunkEncoder {
    /// The export that has not started yet. It starts with the first chunk, on the thread that
    /// encodes that.
    export: Option<Export>,
    state: Option<ExportState>,
    /// Set from the first chunk on, if the export is delivered to a monitoring system.
    delivery: Option<Delivery>,
    is_last: bool,
    /// The current block, and how many of its series have been written.
    current_block: Option<(SeriesBlock, usize)>,
    /// How many more series may be written.
    remaining_series: usize,
    buffer: Buffer,
}

/// An export that has started.
pub(super) struct ExportState {
    pub(super) reader: BlockReader,
    pub(super) encoder: Box<dyn Encode + Send>,
}

impl ChunkEncoder {
    pub(super) fn new(export: Export) -> Self {
        Self {
            remaining_series: export.limit,
            export: Some(export),
            state: None,
            delivery: None,
            is_last: false,
            current_block: None,
            buffer: Buffer::default(),
        }
    }

    /// Returns the current chunk, which is empty before the first and after the last.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.buffer.written()
    }

    /// Returns true if the current chunk is the last.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Records that the last chunk was delivered, after all others.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "the router delivers exports")
    )]
    pub(crate) fn complete_delivery(&mut self) {
        if let Some(delivery) = self.delivery.take().filter(|_| self.is_last) {
            delivery.complete();
        }
    }

    /// Frees the memory of the current chunk.
    #[cfg(feature = "axum")]
    pub(crate) fn free_buffer(&mut self) {
        self.buffer = Buffer::default();
    }

    /// Encodes the next chunk, which is empty after the last.
    pub(crate) fn next_chunk(&mut self) {
        self.buffer.clear();
        if self.buffer.capacity() == 0 {
            self.buffer = Buffer::with_capacity(BUFFER_CAPACITY);
        }
        if let Some(export) = self.export.take() {
            let mut reading;
            (reading, self.delivery) = export.start();
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

    /// Returns true if the chunk is long enough.
    fn is_full(&self, reading: &ExportState) -> bool {
        self.buffer.len() + reading.encoder.max_pending() >= CHUNK_LEN
    }

    /// Starts the next block, or ends if there is none or the limit is reached.
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

    /// Writes series of a block until the chunk is full or the limit is reached.
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
        f.debug_struct("ChunkEncoder")
            .field("remaining_series", &self.remaining_series)
            .finish_non_exhaustive()
    }
}
