//! An exposition in pages, compressed where the client asked for it.

use std::sync::Weak;
use std::time::Instant;

use crate::export::Chunks;
use crate::router::evict::Evict;
use crate::router::permits::Permit;

/// An exposition, of which one page is there at a time.
pub(super) struct Pages {
    chunks: Chunks,
    coder: Option<Box<dyn Coder>>,
    /// Kept with the work and not with the answer: who makes a page holds a place, also
    /// when nobody waits for it any more.
    permit: Permit,
}

/// What compresses.
pub(super) trait Coder: Send {
    /// Returns the coding's name in `Content-Encoding`.
    fn name(&self) -> &'static str;
    /// Compresses on; what comes of it may come later.
    fn code(&mut self, bytes: &[u8]);
    /// Gives what is still to come.
    fn finish(&mut self);
    /// Returns what has come since it was forgotten.
    fn coded(&self) -> &[u8];
    /// Forgets what has come.
    fn clear(&mut self);
}

impl Pages {
    pub(super) fn new(chunks: Chunks, coder: Option<Box<dyn Coder>>, permit: Permit) -> Self {
        Self {
            chunks,
            coder,
            permit,
        }
    }

    /// Returns the page that is there, empty before the first.
    pub(super) fn page(&self) -> &[u8] {
        match &self.coder {
            Some(coder) => coder.coded(),
            None => self.chunks.chunk(),
        }
    }

    /// Returns true when the page that is there is the last.
    pub(super) fn are_at_end(&self) -> bool {
        self.chunks.is_at_end()
    }

    /// Lets another client take the place of this scrape.
    pub(super) fn allow_eviction(&self, scrape: Weak<dyn Evict>) {
        self.permit.allow_eviction(scrape);
    }

    /// Returns the deadline.
    pub(super) fn until(&self) -> Instant {
        self.permit.until()
    }

    /// Returns true when no more is to be made, since it would come too late.
    pub(super) fn are_late(&self) -> bool {
        self.permit.is_over()
    }

    /// Makes the next page; returns false if the place has gone to another.
    #[must_use]
    pub(super) fn turn(&mut self) -> bool {
        if !self.permit.hold() {
            return false;
        }
        if let Some(coder) = &mut self.coder {
            coder.clear();
            // A compressor keeps what it is given until it has enough of it.
            while coder.coded().is_empty() && !self.chunks.is_at_end() {
                self.chunks.turn();
                coder.code(self.chunks.chunk());
            }
            if self.chunks.is_at_end() {
                coder.finish();
            }
            self.chunks.forget();
        } else {
            self.chunks.turn();
        }
        self.permit.release();
        true
    }
}
