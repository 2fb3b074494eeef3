//! The search for what changes the depth of a JSON text.

/// How many bytes are looked at together.
const CHUNK: usize = 64;

/// Returns where the first quote, bracket or brace is.
///
/// It is what a long array of numbers costs, so it looks at chunks without a branch
/// within them, which the compiler turns into vector instructions.
pub(crate) fn structural(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    for (number, chunk) in chunks.iter().enumerate() {
        let hits = chunk.iter().fold(0, |hits, byte| hits | may_be(*byte));
        if hits != 0
            && let Some(at) = chunk.iter().position(|byte| is(*byte))
        {
            return Some(number * CHUNK + at);
        }
    }
    let at = rest.iter().position(|byte| is(*byte))?;
    Some(bytes.len() - rest.len() + at)
}

/// Returns 1 for a byte that is one of the five, or of four more (`Y`, `y`, `_` and DEL) that
/// differ from them in the same bits, and are seldom outside of strings.
fn may_be(byte: u8) -> u8 {
    u8::from(byte & 0b1101_1001 == 0b0101_1001) | u8::from(byte == b'"')
}

fn is(byte: u8) -> bool {
    matches!(byte, b'"' | b'[' | b']' | b'{' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_each_of_the_five_wherever_it_is_and_nothing_else() {
        for byte in 0..=u8::MAX {
            assert!(!is(byte) || may_be(byte) == 1, "{byte}");
            for len in [1, 63, 64, 65, 130] {
                for at in 0..len {
                    let mut bytes = vec![b'1'; len];
                    bytes[at] = byte;
                    assert_eq!(
                        structural(&bytes),
                        is(byte).then_some(at),
                        "{byte} {at} {len}"
                    );
                }
            }
        }
        assert_eq!(structural(b""), None);
    }
}
