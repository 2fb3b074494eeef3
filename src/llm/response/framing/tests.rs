use fastrand::Rng;

use super::*;
use crate::llm::facts::ErrorType;
use crate::llm::response::answer::{TokenCounts, TokenKind};
use crate::llm::response::dialect::DIALECTS;

/// What is known of an answer once it has ended.
fn read(dialect: &'static Dialect, label: DeclaredFormat, bytes: &[u8], size: usize) -> String {
    let mut reader = ResponseReader::new(dialect, label);
    for piece in bytes.chunks(size) {
        reader.push(piece);
    }
    reader.finish(1);
    format!(
        "{} {} {} {:?}",
        reader.is_streamed(),
        reader.is_unrecognized(),
        reader.answer.has_ended,
        reader.answer
    )
}

/// Pieces of answers, whole and broken, which are put together at random.
const PARTS: [&str; 33] = [
    "data: ",
    "data:",
    "event: message_stop\n",
    ": comment\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "[DONE]",
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}",
    "{\"choices\":[{\"index\":1,\"finish_reason\":\"stop\"}]}",
    "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
    "{\"error\":{\"code\":\"x\"}}",
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}",
    "{\"type\":\"message_stop\"}",
    "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}",
    "{\"done\":true,\"eval_count\":3}",
    "{\"model\":\"",
    "\"",
    "}",
    "]",
    "\u{feff}",
    "null",
    "\\u00e9",
    "[",
    ",",
    "{\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}",
    "{\"usageMetadata\":{\"promptTokenCount\":1,\"thoughtsTokenCount\":2}}",
    "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\"}}",
    "{\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7}}",
    "{\"usage\":{\"cost\":0.25,\"seconds\":3.5}}",
    "{\"bytes\":\"eyJ0eXBlIjoibWVzc2FnZV9zdG9wIn0=\",\"p\":\"ab\"}",
    "{\"bytes\":\"eyJnZW5lcmF0aW9uIjoiYSJ9\"",
];

/// Of messages, which are whole as well.
const HEADERS: [(&str, &str); 5] = [
    (":event-type", "chunk"),
    (":event-type", "metadata"),
    (":event-type", "message_stop"),
    (":message-type", "exception"),
    (":exception-type", "throttlingException"),
];

const LABELS: [DeclaredFormat; 5] = [
    DeclaredFormat::Events,
    DeclaredFormat::Lines,
    DeclaredFormat::Frames,
    DeclaredFormat::Other,
    DeclaredFormat::Opaque,
];

#[test]
fn any_bytes_are_read_without_harm_and_alike_in_all_pieces() {
    // More of it by hand, as of the router's.
    let rounds = std::env::var("TACHOMETER_FUZZ");
    let rounds = rounds.map_or(5_000, |rounds| rounds.parse().expect("a number"));
    let mut rng = Rng::with_seed(8);
    for round in 0..rounds {
        let dialect = DIALECTS[rng.usize(0..DIALECTS.len())];
        let label = LABELS[rng.usize(0..LABELS.len())];
        let mut bytes = Vec::new();
        for _ in 0..rng.usize(0..12) {
            let part = PARTS[rng.usize(0..PARTS.len())].as_bytes();
            match label {
                DeclaredFormat::Frames => {
                    bytes.extend(frame(&[HEADERS[rng.usize(0..HEADERS.len())]], part))
                }
                _ => bytes.extend(part),
            }
        }
        // One byte of three texts is another, and some are cut.
        if !bytes.is_empty() && rng.u8(0..3) == 0 {
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
            bytes.truncate(rng.usize(at..bytes.len()));
        }
        let whole = read(dialect, label, &bytes, usize::MAX);
        for size in [1, 2, 3, 7] {
            let told = read(dialect, label, &bytes, size);
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(told, whole, "round {round}, pieces of {size}: {text:?}");
        }
    }
}

/// Writes a message of AWS's event streams.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut named = Vec::new();
    for (name, value) in headers {
        named.push(u8::try_from(name.len()).unwrap());
        named.extend(name.as_bytes());
        named.push(7);
        named.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        named.extend(value.as_bytes());
    }
    let lengths = [12 + named.len() + payload.len() + 4, named.len()];
    message(lengths, &named, payload)
}

/// Writes one whose lengths may be wrong, and whose checksums are right.
fn message(lengths: [usize; 2], headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let lengths = lengths.map(|length| u32::try_from(length).unwrap().to_be_bytes());
    let mut message = lengths.concat();
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

fn converse() -> &'static Dialect {
    let path = |dialect: &&Dialect| dialect.paths.iter().any(|path| path.suffix == "/converse");
    DIALECTS.into_iter().find(path).unwrap()
}

fn stream() -> Vec<u8> {
    [
        frame(&[(":event-type", "messageStart")], b"{}"),
        frame(
            &[(":message-type", "event"), (":event-type", "chunk")],
            br#"{"p":"x","bytes":"eyJkZWx0YSI6eyJ0ZXh0IjoiaGkifX0="}"#,
        ),
        frame(&[], b""),
        frame(
            &[(":event-type", "messageStop")],
            br#"{"stopReason":"end_turn"}"#,
        ),
        frame(
            &[(":event-type", "metadata")],
            br#"{"usage":{"inputTokens":3,"outputTokens":4}}"#,
        ),
    ]
    .concat()
}

#[test]
fn an_event_stream_is_read_alike_in_all_pieces() {
    let bytes = stream();
    let mut reader = ResponseReader::new(converse(), DeclaredFormat::Other);
    reader.push(&bytes);
    assert!(reader.answer.has_ended && reader.is_streamed());
    assert!(reader.answer.content.is_present && reader.answer.error.is_none());
    assert_eq!(reader.answer.counts.get(TokenKind::Input), Some(3));
    let whole = read(converse(), DeclaredFormat::Frames, &bytes, usize::MAX);
    for size in 1..64 {
        assert_eq!(
            read(converse(), DeclaredFormat::Frames, &bytes, size),
            whole
        );
    }
}

#[test]
fn any_byte_of_an_event_stream_that_is_another_spoils_it() {
    let bytes = stream();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let mut reader = ResponseReader::new(converse(), DeclaredFormat::Frames);
            for piece in changed.chunks(5) {
                reader.push(piece);
            }
            reader.finish(1);
            let answer = &reader.answer;
            assert_eq!(answer.error, Some(ErrorType::Decode), "{at}, {bit}");
            assert_eq!(answer.counts, TokenCounts::default(), "{at}, {bit}");
        }
    }
}

#[test]
fn lengths_that_cannot_be_spoil_an_event_stream_at_once() {
    for lengths in [
        [0, 0],
        [15, 0],
        [16, 1],
        [20, 5],
        [16, u32::MAX as usize],
        [(24 << 20) + 1, 0],
        [u32::MAX as usize, 0],
        [(128 << 10) + 20, (128 << 10) + 1],
    ] {
        let mut reader = ResponseReader::new(converse(), DeclaredFormat::Frames);
        reader.push(&message(lengths, b"", b"")[..12]);
        assert_eq!(reader.answer.error, Some(ErrorType::Decode), "{lengths:?}");
    }
}

#[test]
fn headers_that_are_longer_than_what_is_kept_do_no_harm() {
    let long = "x".repeat(60_000);
    let headers = [(":event-type", "metadata"), ("long", &long), ("more", "y")];
    let bytes = frame(&headers, br#"{"usage":{"inputTokens":3,"outputTokens":4}}"#);
    let mut reader = ResponseReader::new(converse(), DeclaredFormat::Frames);
    reader.push(&bytes);
    assert!(reader.answer.has_ended);
    assert_eq!(reader.answer.counts.get(TokenKind::Output), Some(4));
}

#[test]
fn an_exception_is_told_by_its_header() {
    for (headers, expected) in [
        (
            [
                (":message-type", "exception"),
                (":exception-type", "throttlingException"),
            ],
            ErrorType::RateLimited,
        ),
        (
            [(":message-type", "error"), (":error-code", "AccessDenied")],
            ErrorType::Permission,
        ),
        (
            [(":message-type", "exception"), ("other", "x")],
            ErrorType::Other,
        ),
    ] {
        let bytes = frame(&headers, br#"{"message":"no"}"#);
        let mut reader = ResponseReader::new(converse(), DeclaredFormat::Frames);
        reader.push(&bytes);
        assert_eq!(reader.answer.error, Some(expected), "{headers:?}");
    }
}
