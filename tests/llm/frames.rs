//! The messages of AWS's event streams.

use crc32fast::hash;

/// Writes a message with these headers, all of them texts.
pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    const TEXT: u8 = 7;
    let mut named = Vec::new();
    for (name, value) in headers {
        named.push(u8::try_from(name.len()).unwrap());
        named.extend(name.as_bytes());
        named.push(TEXT);
        named.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        named.extend(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
    let mut message = length(12 + named.len() + payload.len() + 4).to_vec();
    message.extend(length(named.len()));
    message.extend(hash(&message).to_be_bytes());
    message.extend(named);
    message.extend(payload);
    message.extend(hash(&message).to_be_bytes());
    message
}
