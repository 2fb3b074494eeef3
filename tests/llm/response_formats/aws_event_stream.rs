//! Frames of AWS event streams, and their payloads.

/// Builds a frame from text headers and a payload.
pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend(name.bytes());
        head.push(7);
        head.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend(value.bytes());
    }
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut frame = Vec::new();
    frame.extend(length(16 + head.len() + payload.len()));
    frame.extend(length(head.len()));
    let sum = crc32(&frame);
    frame.extend(sum.to_be_bytes());
    frame.extend(head);
    frame.extend(payload);
    let sum = crc32(&frame);
    frame.extend(sum.to_be_bytes());
    frame
}

/// A frame of an event.
pub(crate) fn event(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, payload.as_bytes())
}

/// A frame of an exception.
pub(crate) fn exception(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":exception-type", kind),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    frame(&headers, payload.as_bytes())
}

/// A frame of an event that is another vendor's, with padding after it.
pub(crate) fn chunk(json: &str) -> Vec<u8> {
    let bytes = base64(json.as_bytes());
    event("chunk", &format!(r#"{{"bytes":"{bytes}","p":"abcdefgh"}}"#))
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = !0;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let low = sum & 1;
            sum = (sum >> 1) ^ (low * 0xEDB8_8320);
        }
    }
    !sum
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |at: usize| usize::from(three.get(at).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (part, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = char::from(LETTERS[bits >> shift & 63]);
            text.push(if part > three.len() { '=' } else { letter });
        }
    }
    text
}

#[test]
fn frames_match_those_of_other_encoders() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    // An empty one.
    let empty = [
        0, 0, 0, 16, 0, 0, 0, 0, 5, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF,
    ];
    assert_eq!(frame(&[], b""), empty);
    for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
}
