//! The end marker of OpenAI's streams, in place of an event: `[DONE]`.

/// How much of the end marker the current event matches.
#[derive(Debug, Default)]
pub(crate) struct DoneMarker {
    matched: usize,
    is_different: bool,
}

impl DoneMarker {
    const DONE: &'static [u8] = b"[DONE]";

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.is_different {
                return;
            }
            match Self::DONE.get(self.matched) {
                Some(expected) if byte == expected => self.matched += 1,
                _ if matches!(byte, b' ' | b'\t') => {}
                _ => self.is_different = true,
            }
        }
    }

    /// Returns true if the event is the end marker.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_different && self.matched == Self::DONE.len()
    }
}
