use fastrand::Rng;

use super::*;
use crate::llm::dialect::ALL;

/// What is known of an answer once it has ended.
fn read(dialect: &'static Dialect, label: Label, bytes: &[u8], size: usize) -> String {
    let mut reader = Reader::new(dialect, label);
    for piece in bytes.chunks(size) {
        reader.push(piece);
    }
    reader.finish();
    format!(
        "{} {} {} {:?}",
        reader.is_streamed(),
        reader.is_strange(),
        reader.has_ended(),
        reader.answer
    )
}

/// Pieces of answers, whole and broken, which are put together at random.
const PARTS: [&str; 24] = [
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
];

#[test]
fn any_bytes_are_read_without_harm_and_alike_in_all_pieces() {
    // More of it by hand, as of the router's.
    let rounds = std::env::var("TACHOMETER_FUZZ");
    let rounds = rounds.map_or(5_000, |rounds| rounds.parse().expect("a number"));
    let mut rng = Rng::with_seed(8);
    for round in 0..rounds {
        let dialect = ALL[rng.usize(0..ALL.len())];
        let label = [Label::Events, Label::Lines, Label::Other][rng.usize(0..3)];
        let parts = 0..rng.usize(0..12);
        let text: String = parts.map(|_| PARTS[rng.usize(0..PARTS.len())]).collect();
        let mut bytes = text.into_bytes();
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
