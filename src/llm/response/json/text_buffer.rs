//! The buffer for the name, string or number that is being read.

use std::fmt;

/// The bytes of a name or value that are kept. Longer names are in no table, and longer values
/// become no label.
pub(crate) const MAX_TEXT_LEN: usize = 320;

/// A name, string or number as written, cut off at [`MAX_TEXT_LEN`] bytes.
pub(crate) struct TextBuffer {
    bytes: [u8; MAX_TEXT_LEN],
    len: usize,
    has_escapes: bool,
    is_truncated: bool,
}

impl TextBuffer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; MAX_TEXT_LEN],
            len: 0,
            has_escapes: false,
            is_truncated: false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.has_escapes = false;
        self.is_truncated = false;
    }

    /// Appends as many bytes as fit.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(MAX_TEXT_LEN - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&bytes[..len]);
        self.len += len;
        self.is_truncated |= len < bytes.len();
    }

    pub(crate) fn set_has_escapes(&mut self) {
        self.has_escapes = true;
    }

    /// Returns the bytes as written.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns a string without escapes.
    ///
    /// A truncated string keeps its escapes, so that it stays too long: without them it could
    /// equal a shorter one.
    pub(crate) fn unescaped(&self) -> Vec<u8> {
        if self.has_escapes && !self.is_truncated {
            let quoted = [b"\"", self.as_bytes(), b"\""].concat();
            if let Ok(string) = serde_json::from_slice::<String>(&quoted) {
                return string.into_bytes();
            }
        }
        self.as_bytes().to_vec()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Prints the length only: responses may hold user data.
impl fmt::Debug for TextBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}
