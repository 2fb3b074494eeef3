use fastrand::Rng;

use crate::llm::facts::ErrorType;
use crate::llm::response::answer::{TokenCounts, TokenKind};
use crate::llm::response::dialect::{DIALECTS, Dialect};
use crate::llm::response::framing::{DeclaredFormat, ResponseReader};

/// Returns what is known about a response at its end.
fn read(dialect: &'static Dialect, declared: DeclaredFormat, bytes: &[u8], size: usize) -> String {
    let mut reader = ResponseReader::new(dialect, declared);
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

/// Parts of responses, some of them cut off, which are combined at random.
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

/// Headers of AWS messages.
const HEADERS: [(&str, &str); 5] = [
    (":event-type", "chunk"),
    (":event-type", "metadata"),
    (":event-type", "message_stop"),
    (":message-type", "exception"),
    (":exception-type", "throttlingException"),
];

const FORMATS: [DeclaredFormat; 5] = [
    DeclaredFormat::Sse,
    DeclaredFormat::JsonLines,
    DeclaredFormat::AwsEventStream,
    DeclaredFormat::Other,
    DeclaredFormat::Opaque,
];

#[test]
fn any_bytes_are_read_alike_in_chunks_of_any_size() {
    let rounds = std::env::var("TACHOMETER_FUZZ");
    let rounds = rounds.map_or(5_000, |rounds| rounds.parse().expect("a number"));
    let mut rng = Rng::with_seed(8);
    for round in 0..rounds {
        let dialect = DIALECTS[rng.usize(0..DIALECTS.len())];
        let declared = FORMATS[rng.usize(0..FORMATS.len())];
        let mut bytes = Vec::new();
        for _ in 0..rng.usize(0..12) {
            let part = PARTS[rng.usize(0..PARTS.len())].as_bytes();
            match declared {
                DeclaredFormat::AwsEventStream => {
                    bytes.extend(frame(&[HEADERS[rng.usize(0..HEADERS.len())]], part));
                }
                _ => bytes.extend(part),
            }
        }
        // A third of the bodies have a changed byte, and some are cut off.
        if !bytes.is_empty() && rng.u8(0..3) == 0 {
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
            bytes.truncate(rng.usize(at..bytes.len()));
        }
        let whole = read(dialect, declared, &bytes, usize::MAX);
        for size in [1, 2, 3, 7] {
            let chunked = read(dialect, declared, &bytes, size);
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(chunked, whole, "round {round}, chunks of {size}: {text:?}");
        }
    }
}

/// Returns an AWS message.
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

/// Returns an AWS message with right checksums and these lengths, which may be wrong.
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
fn an_aws_event_stream_is_read_alike_in_chunks_of_any_size() {
    let bytes = stream();
    let mut reader = ResponseReader::new(converse(), DeclaredFormat::Other);
    reader.push(&bytes);
    assert!(reader.answer.has_ended && reader.is_streamed());
    assert!(reader.answer.content.is_present && reader.answer.facts.error.is_none());
    assert_eq!(reader.answer.counts.get(TokenKind::Input), Some(3));
    let whole = read(
        converse(),
        DeclaredFormat::AwsEventStream,
        &bytes,
        usize::MAX,
    );
    for size in 1..64 {
        assert_eq!(
            read(converse(), DeclaredFormat::AwsEventStream, &bytes, size),
            whole
        );
    }
}

#[test]
fn any_changed_bit_makes_an_aws_event_stream_invalid() {
    let bytes = stream();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let mut reader = ResponseReader::new(converse(), DeclaredFormat::AwsEventStream);
            for piece in changed.chunks(5) {
                reader.push(piece);
            }
            reader.finish(1);
            let answer = &reader.answer;
            assert_eq!(answer.facts.error, Some(ErrorType::Decode), "{at}, {bit}");
            assert_eq!(answer.counts, TokenCounts::default(), "{at}, {bit}");
        }
    }
}

#[test]
fn impossible_lengths_make_an_aws_event_stream_invalid_at_once() {
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
        let mut reader = ResponseReader::new(converse(), DeclaredFormat::AwsEventStream);
        reader.push(&message(lengths, b"", b"")[..12]);
        assert_eq!(
            reader.answer.facts.error,
            Some(ErrorType::Decode),
            "{lengths:?}"
        );
    }
}

#[test]
fn headers_longer_than_the_buffer_are_skipped() {
    let long = "x".repeat(60_000);
    let headers = [(":event-type", "metadata"), ("long", &long), ("more", "y")];
    let bytes = frame(&headers, br#"{"usage":{"inputTokens":3,"outputTokens":4}}"#);
    let mut reader = ResponseReader::new(converse(), DeclaredFormat::AwsEventStream);
    reader.push(&bytes);
    assert!(reader.answer.has_ended);
    assert_eq!(reader.answer.counts.get(TokenKind::Output), Some(4));
}

#[test]
fn the_headers_of_an_exception_are_its_error() {
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
        let mut reader = ResponseReader::new(converse(), DeclaredFormat::AwsEventStream);
        reader.push(&bytes);
        assert_eq!(reader.answer.facts.error, Some(expected), "{headers:?}");
    }
}
