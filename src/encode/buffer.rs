//! The buffer that encoders write to.

use std::io;

/// Padded texts are copied in steps of this many bytes. A copy of constant length takes a few
/// instructions; one whose length is only known at run time is a function call.
const STEP: usize = 64;

/// A growable byte buffer that keeps its memory when it is cleared.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// After the first `len` bytes come zeros or old content.
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// Makes an empty buffer with space for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity],
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the size of the allocated memory, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Returns the text that was written.
    pub(crate) fn into_string(mut self) -> String {
        self.bytes.truncate(self.len);
        // Only text is written to a buffer that is read as a string.
        String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Removes the content, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(end) = self.spare(1).first_mut() {
            *end = byte;
            self.len += 1;
        }
    }

    /// Appends any number of bytes.
    #[inline]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.spare(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    #[inline]
    pub(crate) fn put_str(&mut self, text: &str) {
        self.put_slice(text.as_bytes());
    }

    #[inline]
    pub(crate) fn put_short_text(&mut self, short: &ShortText) {
        self.spare(ShortText::MAX_LEN)[..ShortText::MAX_LEN].copy_from_slice(&short.bytes);
        self.len += short.len;
    }

    #[inline]
    pub(crate) fn put_padded(&mut self, text: &PaddedText) {
        let spare = self.spare(text.padded.len());
        text.copy_to(spare);
        self.len += text.len;
    }

    /// Appends the first `len` of eight bytes.
    #[inline]
    pub(crate) fn put_eight(&mut self, eight: [u8; 8], len: usize) {
        if let Some(target) = self.spare(8).first_chunk_mut() {
            *target = eight;
            self.len += len;
        }
    }

    /// Appends what `write` writes to the start of a slice of at least `max_len` bytes. `write`
    /// returns the number of bytes.
    #[inline]
    pub(crate) fn put_with(&mut self, max_len: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        let len = write(self.spare(max_len));
        self.len = (self.len + len).min(self.bytes.len());
    }

    /// Appends what `put` appends, after a header that contains its length. `header` makes the
    /// header, which has `header_len` bytes at most times.
    #[inline]
    pub(crate) fn put_after_header<const N: usize>(
        &mut self,
        header_len: &mut usize,
        put: impl FnOnce(&mut Self),
        header: impl FnOnce(usize) -> ([u8; N], usize),
    ) {
        let start = self.len;
        self.spare(N);
        self.len += *header_len;
        let content = self.len;
        put(self);
        let (header, len) = header(self.len - content);
        if len != *header_len {
            self.move_end(content, start + len);
            *header_len = len;
        }
        // Most headers have one of these lengths, and a copy of constant length is faster.
        match len {
            2 => self.bytes[start..start + 2].copy_from_slice(&header[..2]),
            3 => self.bytes[start..start + 3].copy_from_slice(&header[..3]),
            _ => self.bytes[start..start + len].copy_from_slice(&header[..len]),
        }
    }

    /// Replaces a byte that was written.
    #[inline]
    pub(crate) fn set(&mut self, position: usize, byte: u8) {
        if let Some(target) = self.bytes.get_mut(position) {
            *target = byte;
        }
    }

    /// Moves what was written from a position on to another one.
    #[cold]
    fn move_end(&mut self, from: usize, to: usize) {
        self.spare(to.saturating_sub(from));
        self.bytes.copy_within(from..self.len, to);
        self.len = self.len - from + to;
    }

    /// Removes what follows the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends a line: its start, another part, and a number.
    #[inline]
    pub(crate) fn put_line(&mut self, start: &PaddedText, part: &ShortText, number: &ShortText) {
        // One capacity check for the whole line: most of a scrape consists of these lines.
        let spare = self.spare(start.padded.len() + 2 * ShortText::MAX_LEN + 1);
        start.copy_to(spare);
        let spare = &mut spare[start.len..];
        spare[..ShortText::MAX_LEN].copy_from_slice(&part.bytes);
        let spare = &mut spare[part.len..];
        spare[..ShortText::MAX_LEN].copy_from_slice(&number.bytes);
        spare[number.len] = b'\n';
        self.len += start.len + part.len + number.len + 1;
    }

    /// Removes a newline at the end, so that the last line can be continued.
    pub(crate) fn remove_newline(&mut self) {
        if self.written().ends_with(b"\n") {
            self.len -= 1;
        }
    }

    /// Returns the unused memory after the content, at least `bytes` bytes.
    #[inline]
    fn spare(&mut self, bytes: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < bytes {
            self.grow(bytes);
        }
        &mut self.bytes[self.len..]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        let new_len = (self.len + bytes).max(2 * self.bytes.len());
        self.bytes.resize(new_len, 0);
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text of up to 32 bytes, such as that of a number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShortText {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl ShortText {
    const MAX_LEN: usize = 32;

    /// Copies a text, and truncates it to 32 bytes.
    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        debug_assert!(text.len() <= Self::MAX_LEN, "{text:?} is cut off");
        let mut bytes = [0; Self::MAX_LEN];
        let text = text.as_bytes();
        let len = text.len().min(Self::MAX_LEN);
        // Copies both ends, which overlap if the text is shorter than both.
        match len {
            16.. => copy_ends::<16>(text, &mut bytes),
            8..16 => copy_ends::<8>(text, &mut bytes),
            4..8 => copy_ends::<4>(text, &mut bytes),
            _ => {
                for (target, byte) in bytes.iter_mut().zip(text) {
                    *target = *byte;
                }
            }
        }
        Self { bytes, len }
    }

    /// Makes a text of the first `len` of eight bytes.
    #[inline]
    pub(crate) fn from_bytes(eight: [u8; 8], len: usize) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..8].copy_from_slice(&eight);
        Self { bytes, len }
    }
}

fn copy_ends<const N: usize>(text: &[u8], target: &mut [u8; ShortText::MAX_LEN]) {
    let text = &text[..text.len().min(ShortText::MAX_LEN)];
    if let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) {
        target[..N].copy_from_slice(first);
        target[text.len() - N..text.len()].copy_from_slice(last);
    }
}

/// A text that is written often. Its memory is padded so that it can be copied in steps.
#[derive(Debug, Default)]
pub(crate) struct PaddedText {
    /// The text, followed by padding of any content.
    padded: Vec<u8>,
    len: usize,
}

impl PaddedText {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut padded = Self::default();
        padded.set([text]);
        padded
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.padded.get(..self.len).unwrap_or_default()
    }

    /// Replaces the text with these parts.
    pub(crate) fn set<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let len = parts.iter().map(|part| part.len()).sum();
        self.padded.resize(usize::next_multiple_of(len, STEP), 0);
        let mut start = 0;
        for part in parts {
            self.padded[start..start + part.len()].copy_from_slice(part);
            start += part.len();
        }
        self.len = len;
    }

    /// Returns the length of the text with its padding.
    #[cfg(feature = "otlp")]
    pub(crate) fn padded_len(&self) -> usize {
        self.padded.len()
    }

    /// Copies the text with its padding to the start of a slice.
    #[inline]
    pub(crate) fn copy_to(&self, target: &mut [u8]) {
        let steps = self.padded.chunks_exact(STEP);
        for (target, step) in target.chunks_exact_mut(STEP).zip(steps) {
            target.copy_from_slice(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_appended_completely() {
        let text: String = ('!'..='~').collect();
        let (mut buffer, mut expected) = (Buffer::with_capacity(8), String::new());
        for len in 0..=text.len() {
            let part = &text[..len];
            let short = &part[..len.min(ShortText::MAX_LEN)];
            buffer.put_short_text(&ShortText::new(short));
            expected.push_str(short);
            buffer.put_padded(&PaddedText::new(part.as_bytes()));
            buffer.put_str(part);
            buffer.push(b'\n');
            expected.push_str(&part.repeat(2));
            expected.push('\n');
        }
        assert_eq!(buffer.written(), expected.as_bytes());
        assert_eq!(buffer.len(), expected.len());
        buffer.clear();
        let line = PaddedText::new(text.as_bytes());
        buffer.put_line(&line, &ShortText::new("more"), &ShortText::new("1"));
        buffer.remove_newline();
        buffer.remove_newline();
        assert_eq!(buffer.written(), format!("{text}more1").as_bytes());
    }
}
