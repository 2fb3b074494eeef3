//! An exposition, encoded and optionally compressed one chunk at a time.

use std::sync::Weak;
use std::time::Instant;

use crate::export::ChunkEncoder;
use crate::router::last_scrape::CountedScrape;
use crate::router::scrape::compression::Compressor;
use crate::router::scrape::error::Abort;
use crate::router::scrape::permits::ScrapePermit;

/// An exposition. One encoded chunk of it is in memory at a time.
pub(crate) struct EncodedChunks {
    chunks: ChunkEncoder,
    compressor: Option<Box<dyn Compressor>>,
    /// Stored here, not in the response body, so that the thread that encodes a chunk holds the
    /// permit even after the body was dropped.
    permit: ScrapePermit,
    /// Set if a shutdown may wait for the scrape.
    counted: Option<CountedScrape>,
}

impl EncodedChunks {
    pub(crate) fn new(
        chunks: ChunkEncoder,
        compressor: Option<Box<dyn Compressor>>,
        permit: ScrapePermit,
        counted: Option<CountedScrape>,
    ) -> Self {
        Self {
            chunks,
            compressor,
            permit,
            counted,
        }
    }

    /// Returns the current chunk. It is empty before the first
    /// [`next_chunk`](Self::next_chunk).
    pub(super) fn chunk(&self) -> &[u8] {
        match &self.compressor {
            Some(compressor) => compressor.output(),
            None => self.chunks.chunk(),
        }
    }

    /// Returns true if the current chunk is the last.
    pub(super) fn is_at_end(&self) -> bool {
        self.chunks.is_last()
    }

    /// Records that the last chunk was passed to the connection.
    pub(super) fn complete_delivery(&mut self) {
        self.chunks.complete_delivery();
        if let Some(scrape) = self.counted.take() {
            scrape.complete();
        }
    }

    /// Allows another client to take the permit of `scrape`.
    pub(super) fn allow_eviction(&self, scrape: Weak<dyn Abort>) {
        self.permit.allow_eviction(scrape);
    }

    pub(super) fn deadline(&self) -> Instant {
        self.permit.deadline()
    }

    pub(super) fn is_past_deadline(&self) -> bool {
        self.permit.is_expired()
    }

    /// Encodes the next chunk. Returns false if the permit was lost.
    #[must_use]
    pub(super) fn next_chunk(&mut self) -> bool {
        if !self.permit.pin() {
            return false;
        }
        if let Some(compressor) = &mut self.compressor {
            compressor.clear_output();
            // A compressor buffers its input before it writes output.
            while compressor.output().is_empty() && !self.chunks.is_last() {
                self.chunks.next_chunk();
                compressor.compress(self.chunks.chunk());
            }
            if self.chunks.is_last() {
                compressor.finish();
            }
            self.chunks.free_buffer();
        } else {
            self.chunks.next_chunk();
        }
        self.permit.unpin();
        true
    }
}
