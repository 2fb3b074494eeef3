use std::fmt::Write;

use fastrand::Rng;
use serde_json::Value as Json;

use super::*;
use crate::llm::response::dialect::DIALECTS;

#[derive(Default)]
struct Taken(Vec<(Field, String)>);

impl Sink for Taken {
    fn take(&mut self, field: Field, value: Value<'_>) {
        let told = match value {
            Value::Number(number) => number.to_owned(),
            Value::Text(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        self.0.push((field, told));
    }
}

/// Returns what the scanner tells of a text in pieces, and whether it came to its end.
fn scanned(root: &'static [Branch], text: &[u8], mut size: impl FnMut() -> usize) -> (Taken, bool) {
    let mut scanner = Scanner::new(root);
    let mut taken = Taken::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size().clamp(1, rest.len()));
        scanner.push(piece, &mut taken);
        rest = after;
    }
    (taken, scanner.is_done())
}

/// A JSON text before it is written: numbers as they will be, and members in any order
/// and as often as it comes.
enum Node {
    Word(Json),
    Number(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Returns what a reader of the whole tells, in the order in which it is written.
fn walked(branches: &'static [Branch], node: &Node, taken: &mut Taken) {
    let mut enter = |branch: Option<&'static Branch>, node: &Node| {
        if let Some(branch) = branch {
            value(branch, node, taken);
        }
    };
    match node {
        Node::Array(elements) => elements
            .iter()
            .for_each(|node| enter(element(branches), node)),
        Node::Object(members) => members
            .iter()
            .for_each(|(name, node)| enter(member(branches, name.as_bytes()), node)),
        _ => {}
    }
}

fn value(branch: &'static Branch, node: &Node, taken: &mut Taken) {
    let told = match node {
        Node::Word(Json::Null) => "Null".to_owned(),
        Node::Word(Json::String(text))
            if !text.is_empty() && branch.field.is_some_and(Field::is_only_seen) =>
        {
            format!("{SEEN:?}")
        }
        Node::Word(Json::String(text)) => format!("{text:?}"),
        Node::Word(word) => format!("Bool({word})"),
        Node::Number(number) => number.clone(),
        Node::Array(_) | Node::Object(_) => "Open".to_owned(),
    };
    // The end of an array is told only if its elements are read.
    let is_skipped = matches!(node, Node::Array(_)) && element(branch.below).is_none();
    let is_closed = told == "Open" && !is_skipped;
    taken.0.extend(branch.field.map(|field| (field, told)));
    walked(branch.below, node, taken);
    if is_closed {
        let closed = branch.field.map(|field| (field, "Close".to_owned()));
        taken.0.extend(closed);
    }
}

/// Makes a text whose names are often those that are read where they are.
fn random(rng: &mut Rng, branches: &'static [Branch], depth: usize) -> Node {
    let is_read = !branches.is_empty();
    match rng.u8(0..if depth == 0 { 6 } else { 10 }) {
        0 => Node::Word(Json::Null),
        1 => Node::Word(rng.bool().into()),
        2 => Node::Number(number(rng)),
        3 => Node::Number(rng.i32(..).to_string()),
        4 | 5 if !is_read => Node::Word(text(rng).into()),
        6 | 7 if !is_read || element(branches).is_some() => {
            let below = element(branches).map_or(&[][..], |branch| branch.below);
            let elements = 0..rng.usize(0..4);
            Node::Array(elements.map(|_| random(rng, below, depth - 1)).collect())
        }
        _ => object(rng, branches, depth.max(1)),
    }
}

fn object(rng: &mut Rng, branches: &'static [Branch], depth: usize) -> Node {
    let mut members: Vec<(String, Node)> = Vec::new();
    for _ in 0..rng.usize(0..8) {
        let known = (!branches.is_empty()).then(|| &branches[rng.usize(0..branches.len())]);
        let name = match known.and_then(Branch::name) {
            Some(name) if rng.u8(0..4) > 0 => name.to_owned(),
            // Again, or almost.
            _ if !members.is_empty() && rng.bool() => {
                let (name, _) = &members[rng.usize(0..members.len())];
                format!("{name}{}", if rng.bool() { "" } else { "s" })
            }
            _ => text(rng),
        };
        let below = member(branches, name.as_bytes()).map_or(&[][..], |branch| branch.below);
        members.push((name, random(rng, below, depth - 1)));
    }
    Node::Object(members)
}

/// Returns a number in one of the ways in which one may be written.
fn number(rng: &mut Rng) -> String {
    let mut number = String::new();
    number.push_str(["", "-"][rng.usize(0..2)]);
    let most = [1, 10, 1 << 40, u64::MAX][rng.usize(0..4)];
    number.push_str(&rng.u64(..most).to_string());
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

fn text(rng: &mut Rng) -> String {
    const LETTERS: [char; 12] = [
        '"', '\\', '{', '}', '[', ']', ',', ':', '\n', 'é', '🦀', 'a',
    ];
    let letters = 0..rng.usize(0..8);
    letters
        .map(|_| LETTERS[rng.usize(0..LETTERS.len())])
        .collect()
}

/// Writes a text as one may, with spaces and escapes that nobody needs.
fn written(random: &mut Rng, node: &Node, to: &mut String) {
    let space = |random: &mut Rng, to: &mut String| {
        if random.u8(0..4) == 0 {
            to.push_str([" ", "\n", "\r\n\t"][random.usize(0..3)]);
        }
    };
    let string = |random: &mut Rng, text: &str, to: &mut String| {
        if random.u8(0..4) > 0 {
            to.push_str(&Json::from(text).to_string());
            return;
        }
        to.push('"');
        for unit in text.encode_utf16() {
            let _ = write!(to, "\\u{unit:04x}");
        }
        to.push('"');
    };
    space(random, to);
    match node {
        Node::Word(Json::String(text)) => string(random, text, to),
        Node::Word(word) => to.push_str(&word.to_string()),
        Node::Number(number) => to.push_str(number),
        Node::Array(elements) => {
            to.push('[');
            for (at, element) in elements.iter().enumerate() {
                to.push_str(if at > 0 { "," } else { "" });
                written(random, element, to);
            }
            to.push(']');
        }
        Node::Object(members) => {
            to.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                to.push_str(if at > 0 { "," } else { "" });
                space(random, to);
                string(random, name, to);
                space(random, to);
                to.push(':');
                written(random, member, to);
            }
            to.push('}');
        }
    }
    space(random, to);
}

/// Returns how often a test is to try, more of it by hand, as of the router's.
fn rounds(otherwise: usize) -> usize {
    let rounds = std::env::var("TACHOMETER_FUZZ");
    rounds.map_or(otherwise, |rounds| rounds.parse().expect("a number"))
}

/// Returns all names in a tree of branches.
fn names(branches: &'static [Branch]) -> Vec<&'static str> {
    let own = branches.iter().filter_map(Branch::name);
    own.chain(branches.iter().flat_map(|branch| names(branch.below)))
        .collect()
}

#[test]
fn what_is_told_is_what_a_reader_of_the_whole_text_finds() {
    let mut rng = Rng::with_seed(6);
    let mut found = 0;
    for round in 0..rounds(4_000) {
        let root = DIALECTS[round % DIALECTS.len()].branches;
        let node = object(&mut rng, root, 7);
        let mut text = String::new();
        written(&mut rng, &node, &mut text);
        // Or else the writer is wrong.
        assert!(serde_json::from_str::<Json>(&text).is_ok(), "{text}");
        let mut expected = Taken::default();
        walked(root, &node, &mut expected);
        found += expected.0.len();
        for most in [1, 4, usize::MAX] {
            let mut size = Rng::with_seed(round as u64);
            let (taken, is_done) = scanned(root, text.as_bytes(), || match most {
                usize::MAX => most,
                most => size.usize(1..=most),
            });
            assert!(is_done, "{text}");
            assert_eq!(taken.0, expected.0, "{text}");
        }
    }
    // So that the names are not missed all the time.
    assert!(found > 10_000, "{found}");
}

#[test]
fn bytes_of_any_kind_are_read_without_harm_and_alike_in_all_pieces() {
    const BYTES: &[u8] = b"{}[]\",:\\ \n0eE-+.tfnu\xE9\x00";
    let mut rng = Rng::with_seed(7);
    for round in 0..rounds(20_000) {
        let root = DIALECTS[round % DIALECTS.len()].branches;
        let names = names(root);
        let mut bytes = Vec::new();
        while bytes.len() < 40 {
            if rng.u8(0..3) == 0 {
                let name = names[rng.usize(0..names.len())];
                bytes.extend_from_slice(&[b"\"", name.as_bytes(), b"\":"].concat());
            } else {
                bytes.push(BYTES[rng.usize(0..BYTES.len())]);
            }
        }
        let (whole, is_done) = scanned(root, &bytes, || usize::MAX);
        for size in [1, 2, 5] {
            let (taken, done) = scanned(root, &bytes, || size);
            assert_eq!((taken.0, done), (whole.0.clone(), is_done), "{bytes:?}");
        }
    }
}

#[test]
fn a_text_that_is_reset_is_forgotten() {
    let root = DIALECTS[0].branches;
    let whole = br#"{"model":"m","choices":[{"index":0,"finish_reason":"stop"}]}"#;
    let (expected, _) = scanned(root, whole, || usize::MAX);
    for cut in 0..whole.len() {
        let mut scanner = Scanner::new(root);
        scanner.push(&whole[..cut], &mut Taken::default());
        scanner.reset();
        let mut taken = Taken::default();
        assert_eq!(scanner.push(whole, &mut taken), whole.len());
        assert!(scanner.is_done());
        assert_eq!(taken.0, expected.0, "after {cut}");
    }
}

#[test]
fn it_stops_at_the_end_of_a_text() {
    let mut scanner = Scanner::new(DIALECTS[0].branches);
    assert_eq!(scanner.push(b" {\"a\":[1]} {", &mut Taken::default()), 10);
    assert!(scanner.is_done());
}

#[test]
fn no_dialect_goes_deeper_than_is_followed() {
    fn depth(branches: &'static [Branch]) -> usize {
        let within = branches.iter().filter(|branch| !branch.below.is_empty());
        1 + within.map(|branch| depth(branch.below)).max().unwrap_or(0)
    }
    for dialect in DIALECTS {
        assert!(depth(dialect.branches) <= DEPTH, "{:?}", dialect.paths);
    }
}
