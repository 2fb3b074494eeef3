//! Query strings as forms write them.

/// Parses a form-encoded query.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let equals = part.find('=').unwrap_or(part.len());
        let value = part.get(equals + 1..).unwrap_or("");
        (decoded(&part[..equals]), decoded(value))
    };
    parts.map(pair).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).unwrap());
                at += 3;
                continue;
            }
            (b'+', ..) => plain.push(b' '),
            (byte, ..) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

pub(super) fn number(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.chars().map(|char| char.to_digit(10));
    let add = |sum: usize, digit: Option<u32>| {
        sum.checked_mul(10)?
            .checked_add(usize::try_from(digit?).ok()?)
    };
    let mut digits = digits.peekable();
    digits.peek()?;
    digits.try_fold(0, add)
}
