//! The scanner: a state machine over the bytes of a JSON text.

use memchr::memchr2;

use crate::llm::response::json::branch::{Take, find_element, find_member};
use crate::llm::response::json::skip::find_structural;
use crate::llm::response::json::text_buffer::TextBuffer;
use crate::llm::response::json::{Branch, MAX_TEXT_LEN, Value};

/// The deepest nesting of a table of branches.
pub(crate) const MAX_DEPTH: usize = 8;

/// Scans JSON texts, one after the other, in chunks of any size.
#[derive(Debug)]
pub(crate) struct Scanner<S: 'static> {
    root: &'static [Branch<S>],
    state: State,
    /// The open objects and arrays with values to read.
    levels: [Level<S>; MAX_DEPTH],
    depth: usize,
    /// The number of open brackets in the value that is being skipped.
    skip_depth: u64,
    /// How the next value is read: the function that takes it, and the branches inside.
    take: Take<S>,
    below: &'static [Branch<S>],
    buffer: TextBuffer,
}

#[derive(Debug)]
struct Level<S: 'static> {
    branches: &'static [Branch<S>],
    take: Take<S>,
    is_array: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Before a value.
    Value,
    /// After the opening bracket of an array, which may be empty.
    FirstElement,
    /// Before the name of a member, or the end of the object.
    Member,
    /// After a name.
    Colon,
    /// After a value.
    AfterValue,
    /// In a number, or in a literal such as `null`.
    Bare,
    InString(StringRole),
    /// After a backslash in a string.
    Escape(StringRole),
    /// In a value that is not read.
    Skip,
    /// After the end of the text.
    Done,
    /// After an error.
    Invalid,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum StringRole {
    Name,
    Value,
    /// Part of a value that is not read.
    Skipped,
}

impl<S> Scanner<S> {
    pub(crate) fn new(root: &'static [Branch<S>]) -> Self {
        Self {
            root,
            state: State::Value,
            levels: [const { Level::EMPTY }; MAX_DEPTH],
            depth: 0,
            skip_depth: 0,
            take: Take::Nothing,
            below: root,
            buffer: TextBuffer::new(),
        }
    }

    /// Starts a new text.
    pub(crate) fn reset(&mut self) {
        self.state = State::Value;
        self.depth = 0;
        self.skip_depth = 0;
        self.take = Take::Nothing;
        self.below = self.root;
    }

    /// Returns true at the end of a complete text.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Returns true after a byte that is not valid JSON.
    pub(crate) fn is_invalid(&self) -> bool {
        self.state == State::Invalid
    }

    /// Reads up to the end of the text, and returns the number of bytes read.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut S) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            at += self.step(&bytes[at..], sink);
        }
        at
    }

    /// Reads one byte, or a run of bytes that do not change the state.
    fn step(&mut self, bytes: &[u8], sink: &mut S) -> usize {
        let byte = bytes[0];
        match self.state {
            State::InString(role) => return self.string(role, bytes, sink),
            State::Skip => return self.skip(bytes),
            State::Bare => return self.bare(bytes, sink),
            State::Done | State::Invalid => return bytes.len(),
            State::Escape(role) => {
                if let Some(take) = self.takes_pieces(role) {
                    take(sink, &[byte]);
                } else {
                    self.keep(role, &[byte]);
                }
                self.state = State::InString(role);
            }
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
            State::FirstElement if byte == b']' => self.close(true, sink),
            State::Value | State::FirstElement => self.start_value(byte, sink),
            State::Member => match byte {
                b'"' => {
                    self.buffer.clear();
                    self.state = State::InString(StringRole::Name);
                }
                b',' => {}
                b'}' => self.close(false, sink),
                _ => self.state = State::Invalid,
            },
            State::Colon => {
                self.state = if byte == b':' {
                    State::Value
                } else {
                    State::Invalid
                }
            }
            State::AfterValue => match byte {
                b',' => self.next_item(),
                b'}' | b']' => self.close(byte == b']', sink),
                _ => self.state = State::Invalid,
            },
        }
        1
    }

    fn start_value(&mut self, byte: u8, sink: &mut S) {
        match byte {
            b'"' => {
                self.buffer.clear();
                self.state = State::InString(StringRole::Value);
            }
            b'{' | b'[' => self.open(byte == b'[', sink),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.buffer.clear();
                self.buffer.push(&[byte]);
                self.state = State::Bare;
            }
            _ => self.state = State::Invalid,
        }
    }

    fn open(&mut self, is_array: bool, sink: &mut S) {
        self.pass(Value::Open, sink);
        let has_branches = if is_array {
            find_element(self.below).is_some()
        } else {
            !self.below.is_empty()
        };
        // The end of an object is passed on even if nothing in it is read. An array without
        // branches for its elements may be long, and is skipped.
        let is_end_read = !is_array && matches!(self.take, Take::Value(_));
        if (has_branches || is_end_read || self.depth == 0) && self.depth < MAX_DEPTH {
            self.levels[self.depth] = Level {
                branches: self.below,
                take: self.take,
                is_array,
            };
            self.depth += 1;
            self.next_item();
            if is_array {
                self.state = State::FirstElement;
            }
        } else {
            self.skip_depth = 1;
            self.state = State::Skip;
        }
    }

    /// Goes on to the next member or element.
    fn next_item(&mut self) {
        let level = &self.levels[self.depth - 1];
        if level.is_array {
            self.expect(find_element(level.branches));
            self.state = State::Value;
        } else {
            self.state = State::Member;
        }
    }

    /// Sets how the next value is read.
    fn expect(&mut self, branch: Option<&'static Branch<S>>) {
        self.take = branch.map_or(Take::Nothing, |branch| branch.take);
        self.below = branch.map_or(&[], |branch| branch.below);
    }

    fn close(&mut self, is_array: bool, sink: &mut S) {
        let level = &self.levels[self.depth - 1];
        if level.is_array != is_array {
            self.state = State::Invalid;
            return;
        }
        if let Take::Value(take) = level.take {
            take(sink, Value::Close);
        }
        self.depth -= 1;
        self.end_value();
    }

    fn end_value(&mut self) {
        self.state = match self.depth {
            0 => State::Done,
            _ => State::AfterValue,
        };
    }

    /// Reads a number, or a literal such as `null`.
    fn bare(&mut self, bytes: &[u8], sink: &mut S) -> usize {
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let len = bytes.iter().position(is_end).unwrap_or(bytes.len());
        self.buffer.push(&bytes[..len]);
        if len < bytes.len() {
            if let Take::Value(take) = self.take
                && let Some(value) = parse_bare(self.buffer.as_bytes())
            {
                take(sink, value);
            }
            self.end_value();
        }
        len
    }

    /// Reads a string up to its end or a backslash.
    fn string(&mut self, role: StringRole, bytes: &[u8], sink: &mut S) -> usize {
        let end = memchr2(b'"', b'\\', bytes);
        if let Some(take) = self.takes_pieces(role) {
            let len = end.unwrap_or(bytes.len());
            take(sink, &bytes[..len]);
            return len + self.end_piece(bytes.get(len));
        }
        let Some(end) = end else {
            self.keep(role, bytes);
            return bytes.len();
        };
        if bytes[end] == b'\\' {
            self.keep(role, &bytes[..=end]);
            self.buffer.set_has_escapes();
            self.state = State::Escape(role);
            return end + 1;
        }
        if role == StringRole::Skipped {
            self.state = State::Skip;
            return end + 1;
        }
        // Most strings are in one chunk, and are not copied.
        if self.buffer.is_empty() {
            self.end_string(role, &bytes[..end.min(MAX_TEXT_LEN)], sink);
        } else {
            self.keep(role, &bytes[..end]);
            let text = self.buffer.unescaped();
            self.end_string(role, &text, sink);
        }
        end + 1
    }

    /// Returns the function that takes the string in pieces, if there is one.
    fn takes_pieces(&self, role: StringRole) -> Option<fn(&mut S, &[u8])> {
        match self.take {
            Take::Pieces(take) if role == StringRole::Value => Some(take),
            _ => None,
        }
    }

    /// Reads the byte after a piece, if it has come, and returns the number of bytes read.
    fn end_piece(&mut self, next: Option<&u8>) -> usize {
        match next {
            Some(b'"') => self.end_value(),
            Some(_) => self.state = State::Escape(StringRole::Value),
            None => return 0,
        }
        1
    }

    fn end_string(&mut self, role: StringRole, text: &[u8], sink: &mut S) {
        if role == StringRole::Name {
            let branches = self.levels[self.depth - 1].branches;
            self.expect(find_member(branches, text));
            self.state = State::Colon;
            return;
        }
        match self.take {
            Take::NonEmptyText(take) if !text.is_empty() => take(sink),
            Take::Value(take) => match str::from_utf8(text) {
                Ok(text) => take(sink, Value::Text(text)),
                // A string cut off inside a character, or one that is not UTF-8.
                Err(_) => take(sink, Value::Text(&String::from_utf8_lossy(text))),
            },
            _ => {}
        }
        self.end_value();
    }

    /// Keeps a part of a string that is read.
    fn keep(&mut self, role: StringRole, bytes: &[u8]) {
        let is_read = match role {
            StringRole::Name => true,
            StringRole::Value => !self.take.is_nothing(),
            StringRole::Skipped => false,
        };
        if is_read {
            self.buffer.push(bytes);
        }
    }

    fn pass(&self, value: Value<'_>, sink: &mut S) {
        if let Take::Value(take) = self.take {
            take(sink, value);
        }
    }

    /// Skips a value up to its end or a string in it.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(offset) = find_structural(&bytes[at..]) {
            at += offset + 1;
            match bytes[at - 1] {
                b'"' => {
                    self.state = State::InString(StringRole::Skipped);
                    return at;
                }
                b'{' | b'[' => self.skip_depth += 1,
                _ => self.skip_depth -= 1,
            }
            if self.skip_depth == 0 {
                self.end_value();
                return at;
            }
        }
        bytes.len()
    }
}

impl<S> Level<S> {
    const EMPTY: Self = Self {
        branches: &[],
        take: Take::Nothing,
        is_array: false,
    };
}

fn parse_bare(text: &[u8]) -> Option<Value<'_>> {
    match text {
        b"null" => Some(Value::Null),
        b"true" => Some(Value::Bool(true)),
        b"false" => Some(Value::Bool(false)),
        [b'-' | b'0'..=b'9', ..] => str::from_utf8(text).ok().map(Value::Number),
        _ => None,
    }
}
