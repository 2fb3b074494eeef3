//! A reader of JSON that is given a text in pieces and keeps none of it.
//!
//! It follows the branches that are read, and counts brackets in all the rest; so it
//! needs the same memory for a text of any size and depth, and looks at each byte
//! once. A text that is no JSON is read up to where that shows.

mod branch;
mod structural;
#[cfg(test)]
mod tests;
mod text;
mod value;

use memchr::memchr2;

use crate::llm::response::answer::Field;
use crate::llm::response::json::branch::{element, member};
use crate::llm::response::json::structural::structural;
use crate::llm::response::json::text::Text;

pub(crate) use branch::{Branch, each, field, object};
pub(crate) use text::MAX_TEXT_LEN;
pub(crate) use value::{Sink, Value};

/// What stands for a text of which only matters that it is not empty.
const SEEN: &str = "...";

/// So deep the branches go.
const DEPTH: usize = 8;

/// The reader of one JSON text after the other.
#[derive(Debug)]
pub(crate) struct Scanner {
    root: &'static [Branch],
    state: State,
    /// The objects and arrays that are open and have something in them that is read.
    levels: [Level; DEPTH],
    depth: usize,
    /// How many are open within the last of those, which nobody reads.
    unread: u64,
    /// What the value to come is, and what is read within it.
    field: Option<Field>,
    below: &'static [Branch],
    text: Text,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    branches: &'static [Branch],
    field: Option<Field>,
    is_array: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Before a value.
    Value,
    /// After the bracket of an array, whose end may follow.
    First,
    /// Before the name of a member, or the end of the object.
    Member,
    /// After a name.
    Colon,
    /// After a value.
    Next,
    /// Within a number, or a word such as `null`.
    Bare,
    /// Within a string, and after a backslash in it.
    Within(Quoted),
    Escaped(Quoted),
    /// Within something that nobody reads.
    Unread,
    /// After the end.
    Done,
    /// After something that is no JSON.
    Broken,
}

/// Which string it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quoted {
    Name,
    Value,
    Unread,
}

impl Scanner {
    pub(crate) fn new(root: &'static [Branch]) -> Self {
        Self {
            root,
            state: State::Value,
            levels: [Level {
                branches: &[],
                field: None,
                is_array: false,
            }; DEPTH],
            depth: 0,
            unread: 0,
            field: None,
            below: root,
            text: Text::new(),
        }
    }

    /// Begins with another text.
    pub(crate) fn reset(&mut self) {
        self.state = State::Value;
        self.depth = 0;
        self.unread = 0;
        self.field = None;
        self.below = self.root;
    }

    /// Returns true when a text has come to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Returns true when what came is no JSON.
    pub(crate) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Reads on, up to the end of the text, and returns how many bytes that took.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            at += self.step(&bytes[at..], sink);
        }
        at
    }

    /// Reads one byte, or as many as are of one kind.
    fn step(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let byte = bytes[0];
        match self.state {
            State::Within(quoted) => return self.quoted(quoted, bytes, sink),
            State::Unread => return self.unread(bytes),
            State::Bare => return self.bare(bytes, sink),
            State::Done | State::Broken => return bytes.len(),
            State::Escaped(quoted) => {
                if self.is_told_in_pieces(quoted) {
                    sink.take(Field::Wrapped, Value::Piece(&[byte]));
                } else {
                    self.keep(quoted, &[byte]);
                }
                self.state = State::Within(quoted);
            }
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
            State::First if byte == b']' => self.close(true, sink),
            State::Value | State::First => self.begin(byte, sink),
            State::Member => match byte {
                b'"' => {
                    self.text.clear();
                    self.state = State::Within(Quoted::Name);
                }
                b',' => {}
                b'}' => self.close(false, sink),
                _ => self.state = State::Broken,
            },
            State::Colon => {
                self.state = if byte == b':' {
                    State::Value
                } else {
                    State::Broken
                }
            }
            State::Next => match byte {
                b',' => self.next(),
                b'}' | b']' => self.close(byte == b']', sink),
                _ => self.state = State::Broken,
            },
        }
        1
    }

    /// Begins a value.
    fn begin(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            b'"' => {
                self.text.clear();
                self.state = State::Within(Quoted::Value);
            }
            b'{' | b'[' => self.open(byte == b'[', sink),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.text.clear();
                self.text.push(&[byte]);
                self.state = State::Bare;
            }
            _ => self.state = State::Broken,
        }
    }

    fn open(&mut self, is_array: bool, sink: &mut impl Sink) {
        if let Some(field) = self.field {
            sink.take(field, Value::Open);
        }
        let is_read = if is_array {
            element(self.below).is_some()
        } else {
            !self.below.is_empty()
        };
        let level = Level {
            branches: self.below,
            field: self.field,
            is_array,
        };
        // The end of an object is told even if nothing in it is read. An array of which no
        // element is read may be long, and is skipped.
        let is_told = self.field.is_some() && !is_array;
        if (is_read || is_told || self.depth == 0) && self.depth < DEPTH {
            self.levels[self.depth] = level;
            self.depth += 1;
            self.next();
            if is_array {
                self.state = State::First;
            }
        } else {
            self.unread = 1;
            self.state = State::Unread;
        }
    }

    /// Goes on to the next member or element.
    fn next(&mut self) {
        let level = self.levels[self.depth - 1];
        if level.is_array {
            self.expect(element(level.branches));
            self.state = State::Value;
        } else {
            self.state = State::Member;
        }
    }

    fn expect(&mut self, branch: Option<&'static Branch>) {
        self.field = branch.and_then(|branch| branch.field);
        self.below = branch.map_or(&[], |branch| branch.below);
    }

    fn close(&mut self, is_array: bool, sink: &mut impl Sink) {
        let level = self.levels[self.depth - 1];
        if level.is_array != is_array {
            self.state = State::Broken;
            return;
        }
        if let Some(field) = level.field {
            sink.take(field, Value::Close);
        }
        self.depth -= 1;
        self.after();
    }

    /// Goes on after a value.
    fn after(&mut self) {
        self.state = match self.depth {
            0 => State::Done,
            _ => State::Next,
        };
    }

    /// Reads a number, or a word such as `null`.
    fn bare(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let len = bytes.iter().position(is_end).unwrap_or(bytes.len());
        self.text.push(&bytes[..len]);
        if len < bytes.len() {
            if let Some(field) = self.field
                && let Some(value) = bare(self.text.raw())
            {
                sink.take(field, value);
            }
            self.after();
        }
        len
    }

    /// Reads a string, up to its end or a backslash.
    fn quoted(&mut self, quoted: Quoted, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let end = memchr2(b'"', b'\\', bytes);
        if self.is_told_in_pieces(quoted) {
            return self.piece(bytes, end, sink);
        }
        let Some(end) = end else {
            self.keep(quoted, bytes);
            return bytes.len();
        };
        if bytes[end] == b'\\' {
            self.keep(quoted, &bytes[..=end]);
            self.text.escape();
            self.state = State::Escaped(quoted);
            return end + 1;
        }
        if quoted == Quoted::Unread {
            self.state = State::Unread;
            return end + 1;
        }
        // Most strings come whole, and need not be kept.
        if self.text.is_empty() {
            self.string(quoted, &bytes[..end.min(MAX_TEXT_LEN)], sink);
        } else {
            self.keep(quoted, &bytes[..end]);
            let text = self.text.unescaped();
            self.string(quoted, &text, sink);
        }
        end + 1
    }

    /// Whether the string is one whose value may be long, and is read all the same.
    fn is_told_in_pieces(&self, quoted: Quoted) -> bool {
        quoted == Quoted::Value && self.field == Some(Field::Wrapped)
    }

    /// Tells a part of such a string, up to its end or a backslash.
    fn piece(&mut self, bytes: &[u8], end: Option<usize>, sink: &mut impl Sink) -> usize {
        let len = end.unwrap_or(bytes.len());
        sink.take(Field::Wrapped, Value::Piece(&bytes[..len]));
        match bytes.get(len) {
            Some(b'"') => self.after(),
            Some(_) => self.state = State::Escaped(Quoted::Value),
            None => return len,
        }
        len + 1
    }

    /// Takes a string that has ended.
    fn string(&mut self, quoted: Quoted, text: &[u8], sink: &mut impl Sink) {
        if quoted == Quoted::Name {
            let level = self.levels[self.depth - 1];
            self.expect(member(level.branches, text));
            self.state = State::Colon;
            return;
        }
        if let Some(field) = self.field {
            // Of text that is not read, only whether there is some.
            if field.is_only_seen() {
                let seen = if text.is_empty() { "" } else { SEEN };
                sink.take(field, Value::Text(seen));
                return self.after();
            }
            match str::from_utf8(text) {
                Ok(text) => sink.take(field, Value::Text(text)),
                // Of one that is no text, what can be read of it.
                Err(_) => sink.take(field, Value::Text(&String::from_utf8_lossy(text))),
            }
        }
        self.after();
    }

    /// Keeps a part of a string that is read.
    fn keep(&mut self, quoted: Quoted, bytes: &[u8]) {
        let is_read = match quoted {
            Quoted::Name => true,
            Quoted::Value => self.field.is_some(),
            Quoted::Unread => false,
        };
        if is_read {
            self.text.push(bytes);
        }
    }

    /// Passes over what nobody reads, up to its end or a string in it.
    fn unread(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(found) = structural(&bytes[at..]) {
            at += found + 1;
            match bytes[at - 1] {
                b'"' => {
                    self.state = State::Within(Quoted::Unread);
                    return at;
                }
                b'{' | b'[' => self.unread += 1,
                _ => self.unread -= 1,
            }
            if self.unread == 0 {
                self.after();
                return at;
            }
        }
        bytes.len()
    }
}

fn bare(text: &[u8]) -> Option<Value<'_>> {
    match text {
        b"null" => Some(Value::Null),
        b"true" => Some(Value::Bool(true)),
        b"false" => Some(Value::Bool(false)),
        [b'-' | b'0'..=b'9', ..] => str::from_utf8(text).ok().map(Value::Number),
        _ => None,
    }
}
