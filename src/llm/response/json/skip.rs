//! The search for the next byte that can change the depth of a JSON text.

/// The bytes that are checked together.
const CHUNK: usize = 64;

/// Returns the position of the first quote, bracket or brace.
///
/// Long arrays of numbers, such as embeddings, are skipped by this function. The loop over a
/// chunk has no branches, so the compiler turns it into vector instructions.
pub(crate) fn find_structural(bytes: &[u8]) -> Option<usize> {
    let (chunks, remainder) = bytes.as_chunks::<CHUNK>();
    for (number, chunk) in chunks.iter().enumerate() {
        let hits = chunk
            .iter()
            .fold(0, |hits, byte| hits | may_be_structural(*byte));
        if hits != 0
            && let Some(at) = chunk.iter().position(|byte| is_structural(*byte))
        {
            return Some(number * CHUNK + at);
        }
    }
    let at = remainder.iter().position(|byte| is_structural(*byte))?;
    Some(bytes.len() - remainder.len() + at)
}

/// Returns 1 for the five bytes of [`is_structural`], and for `Y`, `y`, `_` and DEL, which share
/// the tested bits and are rare outside of strings.
fn may_be_structural(byte: u8) -> u8 {
    u8::from(byte & 0b1101_1001 == 0b0101_1001) | u8::from(byte == b'"')
}

fn is_structural(byte: u8) -> bool {
    matches!(byte, b'"' | b'[' | b']' | b'{' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structural_bytes_are_found_at_every_position() {
        for byte in 0..=u8::MAX {
            assert!(
                !is_structural(byte) || may_be_structural(byte) == 1,
                "{byte}"
            );
            for len in [1, 63, 64, 65, 130] {
                for at in 0..len {
                    let mut bytes = vec![b'1'; len];
                    bytes[at] = byte;
                    assert_eq!(
                        find_structural(&bytes),
                        is_structural(byte).then_some(at),
                        "{byte} {at} {len}"
                    );
                }
            }
        }
        assert_eq!(find_structural(b""), None);
    }
}
