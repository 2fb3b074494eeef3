//! The reading of an answer's bytes, in whatever pieces and form they come.
//!
//! ```text
//! bytes -> Reader -> Events (SSE), lines (NDJSON) or JSON -> Scanner -> Answer
//! ```
//!
//! The form is seen from the first byte, since proxies often label it wrongly.

mod sse;
#[cfg(test)]
mod tests;

use std::fmt;

use memchr::memchr;

use crate::llm::answer::{Answer, Event};
use crate::llm::dialect::Dialect;
use crate::llm::framing::sse::{Events, Part};
use crate::llm::scan::Scanner;

/// The reader of one answer.
pub(super) struct Reader {
    form: Form,
    label: Label,
    events: Events,
    scanner: Scanner,
    /// Whether something of an event has come.
    is_within: bool,
    seen: Seen,
    mark: Mark,
    conclude: fn(&mut Answer, &Event),
    pub(super) answer: Answer,
}

/// What was seen of an answer.
#[derive(Debug, Default)]
struct Seen {
    /// An event that is whole.
    event: bool,
    /// Something that is no JSON.
    no_json: bool,
    /// In events that are whole, why each of the answers ended.
    reasons: bool,
}

/// What an answer is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// An event stream.
    Events,
    /// JSON, each line of which is an event.
    Lines,
    /// Something else, which is JSON if all is well.
    Other,
}

/// How the bytes are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Not seen yet; so many bytes of a byte order mark have come.
    Unseen(usize),
    Events,
    /// A JSON text on each line.
    Lines,
    /// One JSON text, or several.
    Json,
    /// Something else.
    Other,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Reader {
    /// Begins an answer, by what it is said to be.
    pub(super) fn new(dialect: &'static Dialect, label: Label) -> Self {
        Self {
            form: Form::Unseen(0),
            label,
            events: Events::new(),
            seen: Seen::default(),
            scanner: Scanner::new(dialect.answer),
            is_within: false,
            mark: Mark::default(),
            conclude: dialect.conclude,
            answer: Answer::default(),
        }
    }

    /// Whether the answer comes in events.
    pub(super) fn is_streamed(&self) -> bool {
        matches!(self.form, Form::Events | Form::Lines)
    }

    /// Whether all of the answer has come, as far as its reader can see.
    pub(super) fn has_ended(&self) -> bool {
        self.answer.has_ended || (self.is_streamed() && self.seen.reasons)
    }

    /// Whether what came is no answer of any dialect.
    pub(super) fn is_strange(&self) -> bool {
        match self.form {
            Form::Other => true,
            Form::Json => !self.seen.event && self.seen.no_json,
            Form::Events => !self.seen.event && self.label != Label::Events,
            Form::Unseen(_) | Form::Lines => false,
        }
    }

    /// Reads on.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Form::Unseen(marked) = self.form
            && let [byte, after @ ..] = rest
        {
            self.form = self.form_by(*byte, marked);
            if matches!(self.form, Form::Unseen(_)) {
                rest = after;
            }
        }
        match self.form {
            Form::Events => {
                let mut events = self.events;
                events.push(rest, |part| self.part(&part));
                self.events = events;
            }
            Form::Lines => self.lines(rest),
            Form::Json => self.json(rest),
            Form::Unseen(_) | Form::Other => {}
        }
    }

    /// Returns what the first byte tells that is not space.
    fn form_by(&self, byte: u8, marked: usize) -> Form {
        match byte {
            _ if BYTE_ORDER_MARK.get(marked) == Some(&byte) => Form::Unseen(marked + 1),
            b' ' | b'\t' | b'\n' | b'\r' => Form::Unseen(marked),
            b'{' | b'[' if self.label == Label::Lines => Form::Lines,
            b'{' | b'[' => Form::Json,
            // The four fields of an event, and a comment.
            b'd' | b'e' | b'i' | b'r' | b':' => Form::Events,
            _ if self.label == Label::Events => Form::Events,
            _ => Form::Other,
        }
    }

    /// Ends, whether or not the answer has: its last event may be whole without the line
    /// that is to follow it.
    pub(super) fn finish(&mut self) {
        self.end_event();
    }

    fn part(&mut self, part: &Part<'_>) {
        match part {
            Part::Data(bytes) => {
                self.is_within = true;
                self.mark.push(bytes);
                self.scanner.push(bytes, &mut self.answer);
            }
            // Some forget the empty line after an event: what is whole has ended, and what
            // is no JSON does not become it by further lines.
            Part::Line => {
                self.scanner.push(b"\n", &mut self.answer);
                if self.scanner.is_done() || self.scanner.is_broken() || self.mark.is_done() {
                    self.end_event();
                }
            }
            Part::End => self.end_event(),
        }
    }

    fn lines(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.line(&bytes[..end]);
            self.end_event();
            bytes = &bytes[end + 1..];
        }
        self.line(bytes);
    }

    fn line(&mut self, bytes: &[u8]) {
        self.is_within |= !bytes.is_empty();
        self.scanner.push(bytes, &mut self.answer);
    }

    fn json(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.is_within = true;
            let read = self.scanner.push(bytes, &mut self.answer);
            bytes = &bytes[read..];
            if self.scanner.is_done() {
                self.end_event();
            }
        }
    }

    /// Ends an event. Of one that is not whole, no more is known than what its values
    /// said by themselves.
    fn end_event(&mut self) {
        if !std::mem::take(&mut self.is_within) {
            return;
        }
        let is_marked = std::mem::take(&mut self.mark).is_done();
        let is_whole = self.scanner.is_done();
        self.seen.event |= is_whole || is_marked;
        self.seen.no_json |= self.scanner.is_broken();
        self.scanner.reset();
        let event = self.answer.end_event();
        if is_whole {
            (self.conclude)(&mut self.answer, &event);
            // Some streams end without their mark, once there is a reason why they do.
            self.seen.reasons = self.answer.finishes.are_all();
        }
        // An answer that is no stream has ended with its event.
        self.answer.has_ended |= is_marked || (is_whole && self.form == Form::Json);
    }
}

/// Without what it has read, which may be anything that a caller or a model says.
impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("form", &self.form)
            .field("label", &self.label)
            .field("usage", &self.answer.usage)
            .finish_non_exhaustive()
    }
}

/// What OpenAI's streams end with, in place of an event: `[DONE]`.
#[derive(Debug, Default)]
struct Mark {
    matched: usize,
    differs: bool,
}

impl Mark {
    const DONE: &'static [u8] = b"[DONE]";

    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // Whatever comes after a brace is an event.
            if self.differs {
                return;
            }
            match Self::DONE.get(self.matched) {
                Some(expected) if byte == expected => self.matched += 1,
                _ if matches!(byte, b' ' | b'\t') => {}
                _ => self.differs = true,
            }
        }
    }

    fn is_done(&self) -> bool {
        !self.differs && self.matched == Self::DONE.len()
    }
}
