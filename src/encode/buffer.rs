//! Where encoders write to.

use std::io;

/// Pieces of text are copied so many bytes at a time, a whole number of times. The
/// processor does that in a few steps, where a copy of a length that is known only
/// when it runs is a call.
const STEP: usize = 64;

/// Bytes being written, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Zeroes, or what was there before, behind the first `len` bytes.
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// Makes an empty page with room for so many bytes.
    pub(crate) fn with_capacity(room: usize) -> Self {
        Self {
            bytes: vec![0; room],
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many bytes the page's memory takes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Returns the text that was written.
    #[cfg(feature = "dashboard")]
    pub(crate) fn into_string(mut self) -> String {
        self.bytes.truncate(self.len);
        // Only text is written to a buffer that is read as a string.
        String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Forgets what was written, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(place) = self.spare(1).first_mut() {
            *place = byte;
            self.len += 1;
        }
    }

    /// Appends bytes of any number.
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
    pub(crate) fn put_padded(&mut self, fragment: &PaddedText) {
        let room = self.spare(fragment.padded.len());
        fragment.copy_to(room);
        self.len += fragment.len;
    }

    /// Appends a line: what it begins with, one more piece, a number.
    #[inline]
    pub(crate) fn put_line(&mut self, start: &PaddedText, more: &ShortText, number: &ShortText) {
        // The room is asked for once, since this is what most of a scrape is made of.
        let room = self.spare(start.padded.len() + 2 * ShortText::MAX_LEN + 1);
        start.copy_to(room);
        let room = &mut room[start.len..];
        room[..ShortText::MAX_LEN].copy_from_slice(&more.bytes);
        let room = &mut room[more.len..];
        room[..ShortText::MAX_LEN].copy_from_slice(&number.bytes);
        room[number.len] = b'\n';
        self.len += start.len + more.len + number.len + 1;
    }

    /// Takes the line's end back that was just written, so that the line goes on.
    pub(crate) fn remove_newline(&mut self) {
        if self.written().ends_with(b"\n") {
            self.len -= 1;
        }
    }

    /// Returns the room behind what is written, at least so many bytes.
    #[inline]
    fn spare(&mut self, bytes: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < bytes {
            self.grow(bytes);
        }
        &mut self.bytes[self.len..]
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        let least = (self.len + bytes).max(2 * self.bytes.len());
        self.bytes.resize(least, 0);
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

/// Up to 32 bytes, as a number's text has them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShortText {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl ShortText {
    const MAX_LEN: usize = 32;

    /// Makes a text of these; what is longer than 32 bytes is cut off.
    #[inline]
    pub(crate) fn new(text: &str) -> Self {
        debug_assert!(text.len() <= Self::MAX_LEN, "{text:?} is cut off");
        let mut bytes = [0; Self::MAX_LEN];
        let text = text.as_bytes();
        let len = text.len().min(Self::MAX_LEN);
        // Both ends, which overlap where the text is shorter than two of them.
        match len {
            16.. => copy_ends::<16>(text, &mut bytes),
            8..16 => copy_ends::<8>(text, &mut bytes),
            4..8 => copy_ends::<4>(text, &mut bytes),
            _ => {
                for (place, byte) in bytes.iter_mut().zip(text) {
                    *place = *byte;
                }
            }
        }
        Self { bytes, len }
    }

    /// Appends a byte, while there is room for it.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Appends eight bytes, if there is room for them.
    #[inline]
    pub(crate) fn push_eight(&mut self, eight: [u8; 8]) {
        let room = self.bytes.get_mut(self.len..);
        if let Some(place) = room.and_then(|room| room.first_chunk_mut()) {
            *place = eight;
            self.len += 8;
        }
    }

    /// Makes a text of the first `len` of eight bytes.
    #[inline]
    pub(crate) fn from_bytes(eight: [u8; 8], len: usize) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..8].copy_from_slice(&eight);
        Self { bytes, len }
    }
}

fn copy_ends<const N: usize>(text: &[u8], room: &mut [u8; ShortText::MAX_LEN]) {
    let text = &text[..text.len().min(ShortText::MAX_LEN)];
    if let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) {
        room[..N].copy_from_slice(first);
        room[text.len() - N..text.len()].copy_from_slice(last);
    }
}

/// A piece of text that is written often, in memory that is long enough for it to
/// be copied in steps.
#[derive(Debug, Default)]
pub(crate) struct PaddedText {
    /// The text, and behind it whatever was there.
    padded: Vec<u8>,
    len: usize,
}

impl PaddedText {
    pub(crate) fn new(text: &str) -> Self {
        let mut fragment = Self::default();
        fragment.set([text.as_bytes()]);
        fragment
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.padded.get(..self.len).unwrap_or_default()
    }

    /// Makes it the text of these parts.
    pub(crate) fn set<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let len = parts.iter().map(|part| part.len()).sum();
        self.padded.resize(usize::next_multiple_of(len, STEP), 0);
        let mut at = 0;
        for part in parts {
            self.padded[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        self.len = len;
    }

    #[inline]
    fn copy_to(&self, room: &mut [u8]) {
        let steps = self.padded.chunks_exact(STEP);
        for (place, step) in room.chunks_exact_mut(STEP).zip(steps) {
            place.copy_from_slice(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_written_whole_one_after_the_other() {
        let text: String = ('!'..='~').collect();
        let (mut page, mut expected) = (Buffer::with_capacity(8), String::new());
        for len in 0..=text.len() {
            let part = &text[..len];
            let short = &part[..len.min(ShortText::MAX_LEN)];
            page.put_short_text(&ShortText::new(short));
            expected.push_str(short);
            page.put_padded(&PaddedText::new(part));
            page.put_str(part);
            page.push(b'\n');
            expected.push_str(&part.repeat(2));
            expected.push('\n');
        }
        assert_eq!(page.written(), expected.as_bytes());
        assert_eq!(page.len(), expected.len());
        page.clear();
        let line = PaddedText::new(&text);
        page.put_line(&line, &ShortText::new("more"), &ShortText::new("1"));
        page.remove_newline();
        page.remove_newline();
        assert_eq!(page.written(), format!("{text}more1").as_bytes());
    }
}
