//! A registry's exposition, a chunk at a time.

use std::fmt;

use crate::encode::{Buffer, Encode};
use crate::export::Export;
use crate::registry::Gather;
use crate::snapshot::SeriesBlock;

/// A chunk is handed over once it is at least this long. It is then longer by what
/// one series adds, or one message of protobuf.
const CHUNK: usize = 60 * 1024;

/// So much memory a page is given at first: a chunk and what a series may add, so
/// that it seldom grows.
const ROOM: usize = 64 * 1024;

/// A registry's exposition in chunks of about 60 KiB, each made when it is asked for.
///
/// So a scrape of any size holds one chunk and one block of series, and whoever
/// takes it slowly holds no more.
pub(crate) struct Chunks {
    /// What is to be read. The reading begins with the first chunk, on the thread that makes it.
    export: Option<Export>,
    reading: Option<Reading>,
    is_at_end: bool,
    /// The block under way, and how many of its series have been written.
    current: Option<(SeriesBlock, usize)>,
    /// How many more series there may be.
    left: usize,
    page: Buffer,
}

/// A registry that is being read.
pub(super) struct Reading {
    pub(super) gather: Gather,
    pub(super) encoder: Box<dyn Encode + Send>,
}

impl Chunks {
    pub(super) fn new(export: Export) -> Self {
        Self {
            left: export.limit,
            export: Some(export),
            reading: None,
            is_at_end: false,
            current: None,
            page: Buffer::default(),
        }
    }

    /// Returns the chunk that is there, empty before the first and after the last.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.page.written()
    }

    /// Returns true when the chunk that is there is the last.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Gives up the memory of the chunk, until the next is made.
    #[cfg(feature = "axum")]
    pub(crate) fn forget(&mut self) {
        self.page = Buffer::default();
    }

    /// Makes the next chunk, which after the last is empty.
    pub(crate) fn turn(&mut self) {
        self.page.clear();
        if self.page.room() == 0 {
            self.page = Buffer::with_room(ROOM);
        }
        if let Some(export) = self.export.take() {
            let mut reading = export.read();
            reading.encoder.start(&mut self.page);
            self.reading = Some(reading);
        }
        let Some(mut reading) = self.reading.take() else {
            return;
        };
        while !self.is_at_end && !self.is_full(&reading) {
            match self.current.take() {
                Some((block, written)) => self.write(&mut reading, block, written),
                None => self.next_block(&mut reading),
            }
        }
        self.reading = (!self.is_at_end).then_some(reading);
    }

    /// Returns true when what one more series may add is not to be added.
    fn is_full(&self, reading: &Reading) -> bool {
        self.page.len() + reading.encoder.held() >= CHUNK
    }

    /// Goes on to the next block, or ends where there is none or no more are wanted.
    fn next_block(&mut self, reading: &mut Reading) {
        match reading.gather.next() {
            Some(block) if self.left > 0 => {
                reading.encoder.block(&block, &mut self.page);
                self.current = Some((block, 0));
            }
            more => {
                reading.encoder.finish(more.is_some(), &mut self.page);
                self.is_at_end = true;
            }
        }
    }

    /// Writes series of a block, as many as the chunk takes and are wanted.
    fn write(&mut self, reading: &mut Reading, block: SeriesBlock, mut written: usize) {
        let end = block.labels.len().min(written.saturating_add(self.left));
        while written < end && !self.is_full(reading) {
            reading.encoder.series(&block, written, &mut self.page);
            written += 1;
            self.left -= 1;
        }
        if written < block.labels.len() && self.left == 0 {
            reading.encoder.finish(true, &mut self.page);
            self.is_at_end = true;
        } else if written < block.labels.len() {
            self.current = Some((block, written));
        }
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
