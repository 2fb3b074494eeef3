//! An exposition in pages, compressed where the client asked for it.

use std::sync::Weak;
use std::time::Instant;

use crate::export::ChunkEncoder;
use crate::router::compression::Compressor;
use crate::router::evict::Evict;
use crate::router::scrape_permits::Permit;

/// An exposition, of which one page is there at a time.
pub(super) struct EncodedChunks {
    chunks: ChunkEncoder,
    coder: Option<Box<dyn Compressor>>,
    /// Kept with the work and not with the answer: who makes a page holds a place, also
    /// when nobody waits for it any more.
    permit: Permit,
}

impl EncodedChunks {
    pub(super) fn new(
        chunks: ChunkEncoder,
        coder: Option<Box<dyn Compressor>>,
        permit: Permit,
    ) -> Self {
        Self {
            chunks,
            coder,
            permit,
        }
    }

    /// Returns the page that is there, empty before the first.
    pub(super) fn chunk(&self) -> &[u8] {
        match &self.coder {
            Some(coder) => coder.output(),
            None => self.chunks.chunk(),
        }
    }

    /// Returns true when the page that is there is the last.
    pub(super) fn is_at_end(&self) -> bool {
        self.chunks.is_last()
    }

    /// Lets another client take the place of this scrape.
    pub(super) fn allow_eviction(&self, scrape: Weak<dyn Evict>) {
        self.permit.allow_eviction(scrape);
    }

    /// Returns the deadline.
    pub(super) fn deadline(&self) -> Instant {
        self.permit.deadline()
    }

    /// Returns true when no more is to be made, since it would come too late.
    pub(super) fn is_past_deadline(&self) -> bool {
        self.permit.is_expired()
    }

    /// Makes the next page; returns false if the place has gone to another.
    #[must_use]
    pub(super) fn next_chunk(&mut self) -> bool {
        if !self.permit.pin() {
            return false;
        }
        if let Some(coder) = &mut self.coder {
            coder.clear_output();
            // A compressor keeps what it is given until it has enough of it.
            while coder.output().is_empty() && !self.chunks.is_last() {
                self.chunks.next_chunk();
                coder.compress(self.chunks.chunk());
            }
            if self.chunks.is_last() {
                coder.finish();
            }
            self.chunks.free_buffer();
        } else {
            self.chunks.next_chunk();
        }
        self.permit.unpin();
        true
    }
}
