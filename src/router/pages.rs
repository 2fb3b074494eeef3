//! An exposition in pages, compressed where the client asked for it.

use crate::export::Chunks;

/// An exposition, of which one page is there at a time.
pub(super) struct Pages {
    chunks: Chunks,
    coder: Option<Box<dyn Coder>>,
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
    pub(super) fn new(chunks: Chunks, coder: Option<Box<dyn Coder>>) -> Self {
        Self { chunks, coder }
    }

    /// Returns the page that is there, empty before the first.
    pub(super) fn page(&self) -> &[u8] {
        match &self.coder {
            Some(coder) => coder.coded(),
            None => self.chunks.chunk(),
        }
    }

    /// Makes the next page, which is not empty; returns false when there is none.
    pub(super) fn turn(&mut self) -> bool {
        let Some(coder) = &mut self.coder else {
            return self.chunks.turn();
        };
        coder.clear();
        // A compressor keeps what it is given until it has enough of it.
        while coder.coded().is_empty() {
            if !self.chunks.turn() {
                coder.finish();
                break;
            }
            coder.code(self.chunks.chunk());
        }
        !coder.coded().is_empty()
    }
}
