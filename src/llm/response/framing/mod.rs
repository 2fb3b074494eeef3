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
use crate::llm::response::framing::aws_event_stream::{AwsEventStream, Headers};
use crate::llm::response::framing::base64_payload::Base64Payload;
use crate::llm::response::framing::done_marker::DoneMarker;
use crate::llm::response::framing::sse::{SsePart, SseStream};
use crate::llm::response::json::Scanner;

/// The reader of one answer.
pub(crate) struct ResponseReader {
    form: DetectedFormat,
    label: DeclaredFormat,
    events: SseStream,
    /// Of an event stream of AWS's, which few answers are.
    framed: Option<Box<Framed>>,
    scanner: Scanner<Answer>,
    /// Whether something of an event has come.
    is_within: bool,
    /// Whether the event is an error, whatever its data says.
    is_error: bool,
    /// Whether the answer ended with a mark, and not only with its reasons to finish.
    has_mark: bool,
    seen: Seen,
    mark: DoneMarker,
    conclude: fn(&mut Answer, &Event),
    pub(crate) answer: Answer,
}

/// An event stream of AWS's.
#[derive(Debug)]
struct Framed {
    frames: AwsEventStream,
    wrapped: Base64Payload,
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
pub(crate) enum DeclaredFormat {
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
enum DetectedFormat {
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

impl ResponseReader {
    /// Begins an answer, by what it is said to be.
    pub(crate) fn new(dialect: &'static Dialect, label: DeclaredFormat) -> Self {
        let form = match label {
            DeclaredFormat::Opaque => DetectedFormat::Unread,
            _ => DetectedFormat::Unseen(0),
        };
        Self {
            form,
            label,
            events: SseStream::new(),
            framed: None,
            seen: Seen::default(),
            scanner: Scanner::new(dialect.branches),
            is_within: false,
            is_error: false,
            has_mark: false,
            mark: DoneMarker::default(),
            conclude: dialect.on_event,
            answer: Answer::new(dialect.is_usage_complete),
        }
    }

    /// Whether the answer ended with a mark: if it has usage, that came before.
    pub(crate) fn has_end_marker(&self) -> bool {
        self.has_mark
    }

    /// Whether the answer comes in events.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(
            self.form,
            DetectedFormat::Events
                | DetectedFormat::Lines
                | DetectedFormat::Frames
                | DetectedFormat::Array
                | DetectedFormat::PastArray
        )
    }

    /// Whether text, thoughts or a call of a tool have come: of a message with a checksum,
    /// once that has, too.
    pub(crate) fn has_content(&self) -> bool {
        match self.form {
            DetectedFormat::Frames => self.answer.content.event_count > 0,
            _ => self.answer.content.is_present,
        }
    }

    /// Whether nothing of the answer is read, so that its end is all that is known of it.
    pub(crate) fn is_ignored(&self) -> bool {
        self.form == DetectedFormat::Unread
    }

    /// Reads no further, since a piece is missing.
    pub(crate) fn stop(&mut self) {
        self.form = DetectedFormat::Unread;
        self.answer.discard_usage();
    }

    /// Whether what came is no answer of any dialect.
    pub(crate) fn is_unrecognized(&self) -> bool {
        match self.form {
            DetectedFormat::Other => true,
            DetectedFormat::Json | DetectedFormat::Array | DetectedFormat::PastArray => {
                !self.seen.event && self.seen.no_json
            }
            DetectedFormat::Events => !self.seen.event && self.label != DeclaredFormat::Events,
            DetectedFormat::Unseen(_)
            | DetectedFormat::Lines
            | DetectedFormat::Frames
            | DetectedFormat::Unread => false,
        }
    }

    /// Reads on.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let DetectedFormat::Unseen(marked) = self.form
            && let [byte, after @ ..] = rest
        {
            self.form = self.form_by(*byte, marked);
            // An array's bracket is no part of its elements.
            if matches!(self.form, DetectedFormat::Unseen(_) | DetectedFormat::Array) {
                rest = after;
            }
        }
        match self.form {
            DetectedFormat::Events => {
                let mut events = self.events;
                events.push(rest, |part| self.part(&part));
                self.events = events;
            }
            DetectedFormat::Frames => self.frames(rest),
            DetectedFormat::Lines => self.lines(rest),
            DetectedFormat::Json => self.json(rest),
            DetectedFormat::Array => self.array(rest),
            DetectedFormat::PastArray
            | DetectedFormat::Unseen(_)
            | DetectedFormat::Other
            | DetectedFormat::Unread => {}
        }
    }

    /// Returns what the first byte tells that is not space.
    fn form_by(&self, byte: u8, marked: usize) -> DetectedFormat {
        match byte {
            // Of a length, which is less than 2^24 in any message.
            0 => DetectedFormat::Frames,
            _ if self.label == DeclaredFormat::Frames => DetectedFormat::Frames,
            _ if BYTE_ORDER_MARK.get(marked) == Some(&byte) => DetectedFormat::Unseen(marked + 1),
            b' ' | b'\t' | b'\n' | b'\r' => DetectedFormat::Unseen(marked),
            b'{' if self.label == DeclaredFormat::Lines => DetectedFormat::Lines,
            b'{' => DetectedFormat::Json,
            b'[' => DetectedFormat::Array,
            // The four fields of an event, and a comment.
            b'd' | b'e' | b'i' | b'r' | b':' => DetectedFormat::Events,
            _ if self.label == DeclaredFormat::Events => DetectedFormat::Events,
            _ => DetectedFormat::Other,
        }
    }

    /// Ends, whether or not the answer has: its last event may be whole without the line
    /// that is to follow it. A message without its checksum is not.
    ///
    /// A stream without an end mark has ended once as many answers as `choices` gave a reason
    /// for their end.
    pub(crate) fn finish(&mut self, choices: usize) {
        if self.form != DetectedFormat::Frames {
            self.end_event();
        }
        let is_all = self.seen.reasons && self.answer.finish_reasons.len() >= choices;
        self.has_mark = self.answer.has_ended;
        self.answer.has_ended |= is_all && self.is_streamed();
        if !self.answer.has_ended {
            self.answer.finish_reasons.discard_reopened();
        }
    }

    fn part(&mut self, part: &SsePart<'_>) {
        match part {
            SsePart::Data(bytes) => {
                self.is_within = true;
                self.mark.push(bytes);
                self.scanner.push(bytes, &mut self.answer);
            }
            // Some forget the empty line after an event: what is whole has ended, and what
            // is no JSON does not become it by further lines.
            SsePart::Line => {
                self.scanner.push(b"\n", &mut self.answer);
                if self.scanner.is_done() || self.scanner.is_invalid() || self.mark.is_done() {
                    self.end_event();
                }
            }
            SsePart::End => self.end_event(),
            SsePart::Error => self.is_error = true,
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
            aws_event_stream::MessagePart::Head(headers) => {
                wrapped.reset();
                *is_wrapped = self.head(headers);
            }
            aws_event_stream::MessagePart::Payload(bytes) if *is_wrapped => {
                wrapped.push(bytes, |bytes| {
                    self.scanner.push(bytes, &mut self.answer);
                })
            }
            aws_event_stream::MessagePart::Payload(bytes) => {
                self.scanner.push(bytes, &mut self.answer);
            }
            aws_event_stream::MessagePart::End => self.end_event(),
            aws_event_stream::MessagePart::Broken => self.answer.invalidate(),
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
            Some("exception") => self.answer.set_error(text(":exception-type").unwrap_or("")),
            Some("error") => self.answer.set_error(text(":error-code").unwrap_or("")),
            _ => {}
        }
        let event = text(":event-type");
        let is_wrapped = event == Some(CHUNK);
        if !is_wrapped {
            self.answer.event.event_type = event.map(Into::into);
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
        while self.form == DetectedFormat::Array
            && let [byte, after @ ..] = bytes
        {
            match byte {
                b',' | b' ' | b'\t' | b'\n' | b'\r' if !self.is_within => bytes = after,
                b']' if !self.is_within => {
                    self.form = DetectedFormat::PastArray;
                    // Of answers of which each says why it ended, that decides.
                    let is_all = !self.seen.no_json && self.answer.finish_reasons.is_empty();
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
            if is_error && self.label == DeclaredFormat::Events {
                self.answer.set_error("");
            }
            return;
        }
        let is_marked = std::mem::take(&mut self.mark).is_done();
        let is_whole = self.scanner.is_done();
        self.seen.event |= is_whole || is_marked;
        // What is no event stream may begin with the same word.
        if is_error && (is_whole || self.label == DeclaredFormat::Events) {
            self.answer.set_error("");
        }
        self.seen.no_json |= self.scanner.is_invalid();
        self.scanner.reset();
        let event = self.answer.end_event(is_whole);
        if is_whole {
            (self.conclude)(&mut self.answer, &event);
            // Some streams end without their mark, once there is a reason why they do.
            self.seen.reasons = self.answer.finish_reasons.is_finished();
        }
        self.answer.content.end_event();
        // An answer that is no stream has ended with its event.
        self.answer.has_ended |= is_marked || (is_whole && self.form == DetectedFormat::Json);
    }
}

impl Default for Framed {
    fn default() -> Self {
        Self {
            frames: AwsEventStream::new(),
            wrapped: Base64Payload::new(),
            is_wrapped: false,
        }
    }
}
