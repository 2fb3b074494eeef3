//! The little that is kept of a JSON text: the name or value that is being read.

use std::fmt;

/// So many bytes of a name or value are kept; what is longer is neither a name that is
/// looked for nor a value that becomes a label.
pub(crate) const MAX_TEXT_LEN: usize = 320;

/// A name, string or number as it is written, up to a bound.
pub(crate) struct Text {
    bytes: [u8; MAX_TEXT_LEN],
    len: usize,
    is_escaped: bool,
    /// Whether there was more than is kept.
    is_cut: bool,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; MAX_TEXT_LEN],
            len: 0,
            is_escaped: false,
            is_cut: false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.is_escaped = false;
        self.is_cut = false;
    }

    /// Adds what there is room for.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(MAX_TEXT_LEN - self.len);
        self.bytes[self.len..self.len + taken].copy_from_slice(&bytes[..taken]);
        self.len += taken;
        self.is_cut |= taken < bytes.len();
    }

    /// Notes that an escape is part of it.
    pub(crate) fn escape(&mut self) {
        self.is_escaped = true;
    }

    /// Returns it as it was written.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns what it says, if it was a string. One that was cut stays as long as it is, so
    /// that it is not taken for a shorter one.
    pub(crate) fn unescaped(&self) -> Vec<u8> {
        if self.is_escaped && !self.is_cut {
            let quoted = [b"\"", self.raw(), b"\""].concat();
            if let Ok(string) = serde_json::from_slice::<String>(&quoted) {
                return string.into_bytes();
            }
        }
        self.raw().to_vec()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What an answer says is nobody's business who debugs its reader.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}
