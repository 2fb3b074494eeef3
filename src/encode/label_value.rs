//! Finds the end of a label value in the text of the labels.

use memchr::memchr2;

/// Returns the position of the first quote or backslash.
#[inline]
pub(super) fn value_end(text: &[u8]) -> usize {
    // Many values are so short that a call takes longer than the search.
    let Some(eight) = text.first_chunk() else {
        let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        return end.unwrap_or(text.len());
    };
    let word = u64::from_le_bytes(*eight);
    match bytes_equal_to(b'"', word) | bytes_equal_to(b'\\', word) {
        0 => memchr2(b'"', b'\\', text).unwrap_or(text.len()),
        found => found.trailing_zeros() as usize / 8,
    }
}

/// Sets the highest bit of each byte of a word that equals `byte`, and perhaps of bytes above the
/// first of these.
#[inline]
fn bytes_equal_to(byte: u8, word: u64) -> u64 {
    let difference = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080
}
