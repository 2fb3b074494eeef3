//! The reading of an answer's bytes, in whatever pieces and form they come.
//!
//! ```text
//! bytes -> Reader -> Events (SSE), Frames (AWS), lines (NDJSON), arrays or JSON
//!       -> Scanner -> Answer
//! ```
//!
//! The form is seen from the first byte, since proxies often label it wrongly.

mod aws_event_stream;
mod base64_payload;
mod done_marker;
mod sse;
#[cfg(test)]
mod tests;

use memchr::memchr;

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::Dialect;
use crate::llm::response::framing::aws_event_stream::{Frames, Headers};
use crate::llm::response::framing::base64_payload::Wrapped;
use crate::llm::response::framing::done_marker::Mark;
use crate::llm::response::framing::sse::{Events, Part};
use crate::llm::response::json::Scanner;

/// The reader of one answer.
pub(crate) struct Reader {
    form: Form,
    label: Label,
    events: Events,
    /// Of an event stream of AWS's, which few answers are.
    framed: Option<Box<Framed>>,
    scanner: Scanner,
    /// Whether something of an event has come.
    is_within: bool,
    /// Whether the event is an error, whatever its data says.
    is_error: bool,
    /// Whether the answer ended with a mark, and not only with its reasons to finish.
    has_mark: bool,
    seen: Seen,
    mark: Mark,
    conclude: fn(&mut Answer, &Event),
    pub(crate) answer: Answer,
}

/// An event stream of AWS's.
#[derive(Debug)]
struct Framed {
    frames: Frames,
    wrapped: Wrapped,
    /// Whether the event that is being read is around another.
    is_wrapped: bool,
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
pub(crate) enum Label {
    /// An event stream.
    Events,
    /// JSON, each line of which is an event.
    Lines,
    /// An event stream of AWS's.
    Frames,
    /// Something else, which is JSON if all is well.
    Other,
    /// Nothing that is to be read.
    Opaque,
}

/// How the bytes are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Not seen yet; so many bytes of a byte order mark have come.
    Unseen(usize),
    Events,
    /// A JSON text on each line.
    Lines,
    /// Messages of AWS's event streams.
    Frames,
    /// One JSON text, or several.
    Json,
    /// The elements of one JSON array, each an event.
    Array,
    /// What comes after such an array.
    PastArray,
    /// Something else.
    Other,
    /// Nothing of it is read, or no more.
    Unread,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Reader {
    /// Begins an answer, by what it is said to be.
    pub(crate) fn new(dialect: &'static Dialect, label: Label) -> Self {
        let form = match label {
            Label::Opaque => Form::Unread,
            _ => Form::Unseen(0),
        };
        Self {
            form,
            label,
            events: Events::new(),
            framed: None,
            seen: Seen::default(),
            scanner: Scanner::new(dialect.answer),
            is_within: false,
            is_error: false,
            has_mark: false,
            mark: Mark::default(),
            conclude: dialect.conclude,
            answer: Answer::new(dialect.is_usage_complete),
        }
    }

    /// Whether the answer ended with a mark: if it has usage, that came before.
    pub(crate) fn has_mark(&self) -> bool {
        self.has_mark
    }

    /// Whether the answer comes in events.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(
            self.form,
            Form::Events | Form::Lines | Form::Frames | Form::Array | Form::PastArray
        )
    }

    /// Whether text, thoughts or a call of a tool have come: of a message with a checksum,
    /// once that has, too.
    pub(crate) fn has_content(&self) -> bool {
        match self.form {
            Form::Frames => self.answer.content.events > 0,
            _ => self.answer.content.has_come,
        }
    }

    /// Whether nothing of the answer is read, so that its end is all that is known of it.
    pub(crate) fn is_unread(&self) -> bool {
        self.form == Form::Unread
    }

    /// Reads no further, since a piece is missing.
    pub(crate) fn stop(&mut self) {
        self.form = Form::Unread;
        self.answer.forget();
    }

    /// Whether what came is no answer of any dialect.
    pub(crate) fn is_strange(&self) -> bool {
        match self.form {
            Form::Other => true,
            Form::Json | Form::Array | Form::PastArray => !self.seen.event && self.seen.no_json,
            Form::Events => !self.seen.event && self.label != Label::Events,
            Form::Unseen(_) | Form::Lines | Form::Frames | Form::Unread => false,
        }
    }

    /// Reads on.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Form::Unseen(marked) = self.form
            && let [byte, after @ ..] = rest
        {
            self.form = self.form_by(*byte, marked);
            // An array's bracket is no part of its elements.
            if matches!(self.form, Form::Unseen(_) | Form::Array) {
                rest = after;
            }
        }
        match self.form {
            Form::Events => {
                let mut events = self.events;
                events.push(rest, |part| self.part(&part));
                self.events = events;
            }
            Form::Frames => self.frames(rest),
            Form::Lines => self.lines(rest),
            Form::Json => self.json(rest),
            Form::Array => self.array(rest),
            Form::PastArray | Form::Unseen(_) | Form::Other | Form::Unread => {}
        }
    }

    /// Returns what the first byte tells that is not space.
    fn form_by(&self, byte: u8, marked: usize) -> Form {
        match byte {
            // Of a length, which is less than 2^24 in any message.
            0 => Form::Frames,
            _ if self.label == Label::Frames => Form::Frames,
            _ if BYTE_ORDER_MARK.get(marked) == Some(&byte) => Form::Unseen(marked + 1),
            b' ' | b'\t' | b'\n' | b'\r' => Form::Unseen(marked),
            b'{' if self.label == Label::Lines => Form::Lines,
            b'{' => Form::Json,
            b'[' => Form::Array,
            // The four fields of an event, and a comment.
            b'd' | b'e' | b'i' | b'r' | b':' => Form::Events,
            _ if self.label == Label::Events => Form::Events,
            _ => Form::Other,
        }
    }

    /// Ends, whether or not the answer has: its last event may be whole without the line
    /// that is to follow it. A message without its checksum is not.
    ///
    /// A stream without an end mark has ended once as many answers as `choices` gave a reason
    /// for their end.
    pub(crate) fn finish(&mut self, choices: usize) {
        if self.form != Form::Frames {
            self.end_event();
        }
        let is_all = self.seen.reasons && self.answer.finishes.len() >= choices;
        self.has_mark = self.answer.has_ended;
        self.answer.has_ended |= is_all && self.is_streamed();
        if !self.answer.has_ended {
            self.answer.finishes.forget_open();
        }
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
            Part::Error => self.is_error = true,
        }
    }

    fn frames(&mut self, bytes: &[u8]) {
        let mut framed = self.framed.take().unwrap_or_default();
        let Framed {
            frames,
            wrapped,
            is_wrapped,
        } = &mut *framed;
        frames.push(bytes, |part| match part {
            aws_event_stream::Part::Head(headers) => {
                wrapped.reset();
                *is_wrapped = self.head(headers);
            }
            aws_event_stream::Part::Payload(bytes) if *is_wrapped => wrapped.push(bytes, |bytes| {
                self.scanner.push(bytes, &mut self.answer);
            }),
            aws_event_stream::Part::Payload(bytes) => {
                self.scanner.push(bytes, &mut self.answer);
            }
            aws_event_stream::Part::End => self.end_event(),
            aws_event_stream::Part::Broken => self.answer.spoil(),
        });
        self.framed = Some(framed);
    }

    /// Reads the headers of a message, and returns true when its event is around another.
    fn head(&mut self, headers: Headers<'_>) -> bool {
        /// The one that Bedrock wraps the events of other dialects in.
        const CHUNK: &str = "chunk";

        self.is_within = true;
        let text = |name| headers.text(name);
        match text(":message-type") {
            Some("exception") => self.answer.fail(text(":exception-type").unwrap_or("")),
            Some("error") => self.answer.fail(text(":error-code").unwrap_or("")),
            _ => {}
        }
        let event = text(":event-type");
        let is_wrapped = event == Some(CHUNK);
        if !is_wrapped {
            self.answer.event.kind = event.map(Into::into);
        }
        is_wrapped
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

    fn array(&mut self, mut bytes: &[u8]) {
        while self.form == Form::Array
            && let [byte, after @ ..] = bytes
        {
            match byte {
                b',' | b' ' | b'\t' | b'\n' | b'\r' if !self.is_within => bytes = after,
                b']' if !self.is_within => {
                    self.form = Form::PastArray;
                    // Of answers of which each says why it ended, that decides.
                    let is_all = !self.seen.no_json && self.answer.finishes.is_empty();
                    self.answer.has_ended |= is_all;
                }
                _ => {
                    self.is_within = true;
                    let read = self.scanner.push(bytes, &mut self.answer);
                    bytes = &bytes[read..];
                    if self.scanner.is_done() {
                        self.end_event();
                    }
                }
            }
        }
    }

    /// Ends an event. Of one that is not whole, no more is known than what its values
    /// said by themselves.
    fn end_event(&mut self) {
        let is_error = std::mem::take(&mut self.is_error);
        if !std::mem::take(&mut self.is_within) {
            // The type of an event without data, or behind its data.
            if is_error && self.label == Label::Events {
                self.answer.fail("");
            }
            return;
        }
        let is_marked = std::mem::take(&mut self.mark).is_done();
        let is_whole = self.scanner.is_done();
        self.seen.event |= is_whole || is_marked;
        // What is no event stream may begin with the same word.
        if is_error && (is_whole || self.label == Label::Events) {
            self.answer.fail("");
        }
        self.seen.no_json |= self.scanner.is_broken();
        self.scanner.reset();
        let event = self.answer.end_event(is_whole);
        if is_whole {
            (self.conclude)(&mut self.answer, &event);
            // Some streams end without their mark, once there is a reason why they do.
            self.seen.reasons = self.answer.finishes.are_all();
        }
        self.answer.content.end_event();
        // An answer that is no stream has ended with its event.
        self.answer.has_ended |= is_marked || (is_whole && self.form == Form::Json);
    }
}

impl Default for Framed {
    fn default() -> Self {
        Self {
            frames: Frames::new(),
            wrapped: Wrapped::new(),
            is_wrapped: false,
        }
    }
}
