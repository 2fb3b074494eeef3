//! What OpenAI's streams end with, in place of an event: `[DONE]`.

/// The mark, as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct DoneMarker {
    matched: usize,
    differs: bool,
}

impl DoneMarker {
    const DONE: &'static [u8] = b"[DONE]";

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // Whatever comes after a brace is an event.
            if self.differs {
                return;
            }
            match Self::DONE.get(self.matched) {
                Some(expected) if byte == expected => self.matched += 1,
                _ if matches!(byte, b' ' | b'\t') => {}
                _ => self.differs = true,
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        !self.differs && self.matched == Self::DONE.len()
    }
}
