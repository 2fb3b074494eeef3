use std::fmt::Write;

use fastrand::Rng;
use serde_json::Value as Json;

use super::branch::{Take, find_element, find_member};
use super::*;

/// The values that were read, each with the name of its branch.
#[derive(Default)]
struct Recorder(Vec<(&'static str, String)>);

impl Recorder {
    fn record(&mut self, name: &'static str, value: Value<'_>) {
        self.0.push((name, format!("{value:?}")));
    }

    /// Appends to the last string if that came in pieces, too.
    fn record_piece(&mut self, name: &'static str, piece: &[u8]) {
        let piece = piece.escape_ascii().to_string();
        match self.0.last_mut() {
            Some((last, text)) if *last == name => text.push_str(&piece),
            _ => self.0.push((name, piece)),
        }
    }
}

/// Every kind of branch, down to the deepest level.
const TREE: &[Branch<Recorder>] = &[
    field("model", |recorder, value| recorder.record("model", value)),
    text("text", |recorder| recorder.record("text", Value::Null)),
    // An object or array that is read itself, as well as the values inside it.
    field("error", |recorder: &mut Recorder, value| {
        recorder.record("error", value);
    })
    .and(&[
        field("code", |recorder, value| recorder.record("code", value)),
        // One name starts like the other.
        field("codes", |recorder, value| recorder.record("codes", value)),
    ]),
    nested(
        "choices",
        &[each(|recorder: &mut Recorder, value| recorder.record("choice", value)).and(CHOICE)],
    ),
    nested(
        "tags",
        &[each_text(|recorder| recorder.record("tag", Value::Null))],
    ),
    nested("usage", USAGE),
];

const CHOICE: &[Branch<Recorder>] = &[
    field("index", |recorder, value| recorder.record("index", value)),
    nested(
        "delta",
        &[text("content", |recorder| {
            recorder.record("content", Value::Null);
        })],
    ),
    nested(
        "matrix",
        &[elements(&[each(|recorder, value| {
            recorder.record("number", value);
        })])],
    ),
];

const USAGE: &[Branch<Recorder>] = &[
    field("input", |recorder, value| recorder.record("input", value)),
    nested(
        "a",
        &[nested(
            "b",
            &[nested(
                "c",
                &[nested(
                    "d",
                    &[nested(
                        "e",
                        &[nested(
                            "f",
                            &[field("deep", |recorder, value| {
                                recorder.record("deep", value);
                            })],
                        )],
                    )],
                )],
            )],
        )],
    ),
];

/// Returns the values that the scanner reads from a text in chunks, and whether it came to the
/// end of the text.
fn scan(
    root: &'static [Branch<Recorder>],
    text: &[u8],
    mut chunk_len: impl FnMut() -> usize,
) -> (Recorder, bool) {
    let mut scanner = Scanner::new(root);
    let mut recorder = Recorder::default();
    let mut remaining = text;
    while !remaining.is_empty() {
        let (chunk, after) = remaining.split_at(chunk_len().clamp(1, remaining.len()));
        scanner.push(chunk, &mut recorder);
        remaining = after;
    }
    (recorder, scanner.is_done())
}

/// A JSON text before it is written: numbers as written, and members in any order, with
/// repeated names.
enum Node {
    Scalar(Json),
    Number(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Reads a whole text, in the order in which it is written.
fn walk(branches: &'static [Branch<Recorder>], node: &Node, recorder: &mut Recorder) {
    let mut enter = |branch: Option<&'static Branch<Recorder>>, node: &Node| {
        if let Some(branch) = branch {
            walk_value(branch, node, recorder);
        }
    };
    match node {
        Node::Array(elements) => elements
            .iter()
            .for_each(|node| enter(find_element(branches), node)),
        Node::Object(members) => members
            .iter()
            .for_each(|(name, node)| enter(find_member(branches, name.as_bytes()), node)),
        _ => {}
    }
}

fn walk_value(branch: &'static Branch<Recorder>, node: &Node, recorder: &mut Recorder) {
    let value = match node {
        Node::Scalar(Json::Null) => Value::Null,
        Node::Scalar(Json::Bool(value)) => Value::Bool(*value),
        Node::Scalar(Json::String(text)) => Value::Text(text),
        Node::Number(number) => Value::Number(number),
        _ => Value::Open,
    };
    match (branch.take, value) {
        (Take::Value(take), value) => take(recorder, value),
        (Take::NonEmptyText(take), Value::Text(text)) if !text.is_empty() => take(recorder),
        _ => {}
    }
    walk(branch.below, node, recorder);
    // The end of an array is passed on only if its elements are read.
    let is_skipped = matches!(node, Node::Array(_)) && find_element(branch.below).is_none();
    if let Take::Value(take) = branch.take
        && value == Value::Open
        && !is_skipped
    {
        take(recorder, Value::Close);
    }
}

/// Makes a text that often has names of the table at the right level.
fn random_node(rng: &mut Rng, branches: &'static [Branch<Recorder>], depth: usize) -> Node {
    let has_branches = !branches.is_empty();
    match rng.u8(0..if depth == 0 { 6 } else { 10 }) {
        0 => Node::Scalar(Json::Null),
        1 => Node::Scalar(rng.bool().into()),
        2 => Node::Number(random_number(rng)),
        3 => Node::Number(rng.i32(..).to_string()),
        4 | 5 if !has_branches => Node::Scalar(random_text(rng).into()),
        6 | 7 if !has_branches || find_element(branches).is_some() => {
            let below = find_element(branches).map_or(&[][..], |branch| branch.below);
            let elements = 0..rng.usize(0..4);
            Node::Array(
                elements
                    .map(|_| random_node(rng, below, depth - 1))
                    .collect(),
            )
        }
        _ => random_object(rng, branches, depth.max(1)),
    }
}

fn random_object(rng: &mut Rng, branches: &'static [Branch<Recorder>], depth: usize) -> Node {
    let mut members: Vec<(String, Node)> = Vec::new();
    for _ in 0..rng.usize(0..8) {
        let branch = (!branches.is_empty()).then(|| &branches[rng.usize(0..branches.len())]);
        let name = match branch.and_then(Branch::name) {
            Some(name) if rng.u8(0..4) > 0 => name.to_owned(),
            // A repeated name, or one that starts like another.
            _ if !members.is_empty() && rng.bool() => {
                let (name, _) = &members[rng.usize(0..members.len())];
                format!("{name}{}", if rng.bool() { "" } else { "s" })
            }
            _ => random_text(rng),
        };
        let below = find_member(branches, name.as_bytes()).map_or(&[][..], |branch| branch.below);
        members.push((name, random_node(rng, below, depth - 1)));
    }
    Node::Object(members)
}

/// Returns a number with or without a sign, a fraction and an exponent.
fn random_number(rng: &mut Rng) -> String {
    let mut number = String::new();
    number.push_str(["", "-"][rng.usize(0..2)]);
    let limit = [1, 10, 1 << 40, u64::MAX][rng.usize(0..4)];
    number.push_str(&rng.u64(..limit).to_string());
    if rng.bool() {
        let _ = write!(number, ".{:03}", rng.u16(0..1_000));
    }
    if rng.bool() {
        let sign = ["", "+", "-"][rng.usize(0..3)];
        let _ = write!(
            number,
            "{}{sign}{}",
            ["e", "E"][rng.usize(0..2)],
            rng.u8(0..20)
        );
    }
    number
}

fn random_text(rng: &mut Rng) -> String {
    const LETTERS: [char; 12] = [
        '"', '\\', '{', '}', '[', ']', ',', ':', '\n', 'é', '🦀', 'a',
    ];
    let letters = 0..rng.usize(0..8);
    letters
        .map(|_| LETTERS[rng.usize(0..LETTERS.len())])
        .collect()
}

/// Writes a text with optional spaces and unnecessary escapes.
fn write_node(rng: &mut Rng, node: &Node, output: &mut String) {
    let space = |rng: &mut Rng, output: &mut String| {
        if rng.u8(0..4) == 0 {
            output.push_str([" ", "\n", "\r\n\t"][rng.usize(0..3)]);
        }
    };
    let string = |rng: &mut Rng, text: &str, output: &mut String| {
        if rng.u8(0..4) > 0 {
            output.push_str(&Json::from(text).to_string());
            return;
        }
        output.push('"');
        for unit in text.encode_utf16() {
            let _ = write!(output, "\\u{unit:04x}");
        }
        output.push('"');
    };
    space(rng, output);
    match node {
        Node::Scalar(Json::String(text)) => string(rng, text, output),
        Node::Scalar(value) => output.push_str(&value.to_string()),
        Node::Number(number) => output.push_str(number),
        Node::Array(elements) => {
            output.push('[');
            for (at, element) in elements.iter().enumerate() {
                output.push_str(if at > 0 { "," } else { "" });
                write_node(rng, element, output);
            }
            output.push(']');
        }
        Node::Object(members) => {
            output.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                output.push_str(if at > 0 { "," } else { "" });
                space(rng, output);
                string(rng, name, output);
                space(rng, output);
                output.push(':');
                write_node(rng, member, output);
            }
            output.push('}');
        }
    }
    space(rng, output);
}

/// Returns the number of rounds of a test. `TACHOMETER_FUZZ` overrides it.
fn rounds(default: usize) -> usize {
    let rounds = std::env::var("TACHOMETER_FUZZ");
    rounds.map_or(default, |rounds| rounds.parse().expect("a number"))
}

#[test]
fn the_scanner_reads_what_a_reader_of_the_whole_text_reads() {
    let mut rng = Rng::with_seed(6);
    let mut read = 0;
    for round in 0..rounds(4_000) {
        let node = random_object(&mut rng, TREE, 7);
        let mut text = String::new();
        write_node(&mut rng, &node, &mut text);
        assert!(serde_json::from_str::<Json>(&text).is_ok(), "{text}");
        let mut expected = Recorder::default();
        walk(TREE, &node, &mut expected);
        read += expected.0.len();
        for max_len in [1, 4, usize::MAX] {
            let mut chunk_len = Rng::with_seed(round as u64);
            let (recorder, is_done) = scan(TREE, text.as_bytes(), || match max_len {
                usize::MAX => max_len,
                max_len => chunk_len.usize(1..=max_len),
            });
            assert!(is_done, "{text}");
            assert_eq!(recorder.0, expected.0, "{text}");
        }
    }
    // The random texts do contain names of the table.
    assert!(read > 10_000, "{read}");
}

#[test]
fn any_bytes_are_read_alike_in_chunks_of_any_size() {
    const BYTES: &[u8] = b"{}[]\",:\\ \n0eE-+.tfnu\xE9\x00";
    const NAMES: [&str; 9] = [
        "model", "text", "error", "code", "choices", "delta", "content", "matrix", "usage",
    ];
    let mut rng = Rng::with_seed(7);
    for _ in 0..rounds(20_000) {
        let mut bytes = Vec::new();
        while bytes.len() < 40 {
            if rng.u8(0..3) == 0 {
                let name = NAMES[rng.usize(0..NAMES.len())];
                bytes.extend_from_slice(&[b"\"", name.as_bytes(), b"\":"].concat());
            } else {
                bytes.push(BYTES[rng.usize(0..BYTES.len())]);
            }
        }
        let (whole, is_done) = scan(TREE, &bytes, || usize::MAX);
        for len in [1, 2, 5] {
            let (recorder, done) = scan(TREE, &bytes, || len);
            assert_eq!((recorder.0, done), (whole.0.clone(), is_done), "{bytes:?}");
        }
    }
}

#[test]
fn a_reset_discards_the_text_before_it() {
    let whole = br#"{"model":"m","choices":[{"index":0,"delta":{"content":"hi"}}]}"#;
    let (expected, _) = scan(TREE, whole, || usize::MAX);
    for cut in 0..whole.len() {
        let mut scanner = Scanner::new(TREE);
        scanner.push(&whole[..cut], &mut Recorder::default());
        scanner.reset();
        let mut recorder = Recorder::default();
        assert_eq!(scanner.push(whole, &mut recorder), whole.len());
        assert!(scanner.is_done());
        assert_eq!(recorder.0, expected.0, "after {cut}");
    }
}

#[test]
fn the_scanner_stops_at_the_end_of_a_text() {
    let mut scanner = Scanner::new(TREE);
    let mut recorder = Recorder::default();
    assert_eq!(scanner.push(b" {\"a\":[1]} {", &mut recorder), 10);
    assert!(scanner.is_done());
}

#[test]
fn a_string_of_any_length_is_read_in_pieces_without_backslashes() {
    const PIECES: &[Branch<Recorder>] = &[string_chunks("data", |recorder, piece| {
        recorder.record_piece("data", piece);
    })];
    let long = "x".repeat(2 * MAX_TEXT_LEN);
    let text = format!(r#"{{"other":"no","data":"a\/{long}=","data":null}}"#);
    for len in [1, 7, usize::MAX] {
        let (recorder, is_done) = scan(PIECES, text.as_bytes(), || len);
        assert!(is_done);
        assert_eq!(recorder.0, [("data", format!("a/{long}="))]);
    }
}

#[test]
fn the_table_reaches_the_deepest_level() {
    fn depth(branches: &'static [Branch<Recorder>]) -> usize {
        let below = branches.iter().map(|branch| match branch.below {
            [] => 0,
            below => depth(below),
        });
        1 + below.max().unwrap_or(0)
    }
    assert_eq!(depth(TREE), MAX_DEPTH);
}
