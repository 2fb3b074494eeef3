//! The reader of a response body.

use memchr::memchr;

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::Dialect;
use crate::llm::response::framing::DeclaredFormat;
use crate::llm::response::framing::aws_event_stream::{
    AwsEventStream, MessageHeaders, MessagePart,
};
use crate::llm::response::framing::base64_payload::Base64Payload;
use crate::llm::response::framing::done_marker::DoneMarker;
use crate::llm::response::framing::format::DetectedFormat;
use crate::llm::response::framing::sse::{SsePart, SseStream};
use crate::llm::response::json::Scanner;

/// Reads one response body into an [`Answer`].
pub(crate) struct ResponseReader {
    declared: DeclaredFormat,
    format: DetectedFormat,
    sse: SseStream,
    /// Boxed, since few responses are AWS event streams.
    aws: Option<Box<AwsReader>>,
    scanner: Scanner<Answer>,
    /// Whether some bytes of the current event have come.
    is_in_event: bool,
    /// Whether the event's type is `error`, whatever its data.
    is_error_event: bool,
    /// Whether the response ended with an end marker, not only with finish reasons.
    has_end_marker: bool,
    progress: Progress,
    done_marker: DoneMarker,
    on_event: fn(&mut Answer, &Event),
    pub(crate) answer: Answer,
}

/// The state for an AWS event stream.
#[derive(Debug)]
struct AwsReader {
    stream: AwsEventStream,
    payload: Base64Payload,
    /// Whether the current event has another one in its payload.
    has_payload: bool,
}

/// What has come of a response.
#[derive(Debug, Default)]
struct Progress {
    /// Whether a whole event has come.
    has_event: bool,
    /// Whether bytes that are not JSON have come.
    has_invalid_json: bool,
    /// Whether whole events have given all choices a finish reason.
    has_finished: bool,
}

impl ResponseReader {
    pub(crate) fn new(dialect: &'static Dialect, declared: DeclaredFormat) -> Self {
        let format = match declared {
            DeclaredFormat::Opaque => DetectedFormat::Ignored,
            _ => DetectedFormat::Unknown(0),
        };
        Self {
            declared,
            format,
            sse: SseStream::new(),
            aws: None,
            progress: Progress::default(),
            scanner: Scanner::new(dialect.branches),
            is_in_event: false,
            is_error_event: false,
            has_end_marker: false,
            done_marker: DoneMarker::default(),
            on_event: dialect.on_event,
            answer: Answer::new(dialect.is_usage_complete),
        }
    }

    /// Returns true if the response ended with an end marker. If it has a usage object, that
    /// came before.
    pub(crate) fn has_end_marker(&self) -> bool {
        self.has_end_marker
    }

    /// Returns true if the response consists of events.
    pub(crate) fn is_streamed(&self) -> bool {
        self.format.is_streamed()
    }

    /// Returns true if text, reasoning or a tool call has come. A message with a checksum counts
    /// once that was checked.
    pub(crate) fn has_content(&self) -> bool {
        match self.format {
            DetectedFormat::AwsEventStream => self.answer.content.event_count > 0,
            _ => self.answer.content.is_present,
        }
    }

    /// Returns true if the body is not read, so that only its end is known.
    pub(crate) fn is_ignored(&self) -> bool {
        self.format == DetectedFormat::Ignored
    }

    /// Stops reading, since a part of the body is missing.
    pub(crate) fn stop(&mut self) {
        self.format = DetectedFormat::Ignored;
        self.answer.discard_usage();
    }

    /// Returns true if no dialect has responses like this body.
    pub(crate) fn is_unrecognized(&self) -> bool {
        let Progress {
            has_event,
            has_invalid_json,
            ..
        } = self.progress;
        match self.format {
            DetectedFormat::Unrecognized => true,
            DetectedFormat::Json | DetectedFormat::JsonArray | DetectedFormat::AfterJsonArray => {
                !has_event && has_invalid_json
            }
            DetectedFormat::Sse => !has_event && self.declared != DeclaredFormat::Sse,
            DetectedFormat::Unknown(_)
            | DetectedFormat::JsonLines
            | DetectedFormat::AwsEventStream
            | DetectedFormat::Ignored => false,
        }
    }

    /// Reads a chunk of the body.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let bytes = self.detect_format(bytes);
        match self.format {
            DetectedFormat::Sse => {
                let mut sse = self.sse;
                sse.push(bytes, |part| self.push_sse_part(&part));
                self.sse = sse;
            }
            DetectedFormat::AwsEventStream => self.push_aws(bytes),
            DetectedFormat::JsonLines => self.push_lines(bytes),
            DetectedFormat::Json => self.push_json(bytes),
            DetectedFormat::JsonArray => self.push_array(bytes),
            DetectedFormat::AfterJsonArray
            | DetectedFormat::Unknown(_)
            | DetectedFormat::Unrecognized
            | DetectedFormat::Ignored => {}
        }
    }

    /// Detects the format, if it is not known yet. Returns the bytes that are left to parse: all,
    /// or those after a skipped prefix.
    fn detect_format<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let DetectedFormat::Unknown(mark_len) = self.format
            && let [byte, after @ ..] = bytes
        {
            self.format = self.declared.detect(*byte, mark_len);
            // The bracket of an array is not part of its elements.
            if matches!(
                self.format,
                DetectedFormat::Unknown(_) | DetectedFormat::JsonArray
            ) {
                bytes = after;
            }
        }
        bytes
    }

    /// Ends the body. Its last event may be whole without the line break after it, but not
    /// without its checksum.
    ///
    /// A stream without an end marker is complete once `choices` choices have finish reasons.
    pub(crate) fn finish(&mut self, choices: usize) {
        if self.format != DetectedFormat::AwsEventStream {
            self.end_event();
        }
        self.has_end_marker = self.answer.has_ended;
        let is_finished =
            self.progress.has_finished && self.answer.facts.finish_reasons.len() >= choices;
        self.answer.has_ended |= is_finished && self.is_streamed();
        if !self.answer.has_ended {
            self.answer.facts.finish_reasons.discard_reopened();
        }
    }

    fn push_sse_part(&mut self, part: &SsePart<'_>) {
        match part {
            SsePart::Data(bytes) => {
                self.is_in_event = true;
                self.done_marker.push(bytes);
                self.scanner.push(bytes, &mut self.answer);
            }
            // Some servers omit the empty line after an event. So an event also ends with the
            // line that completes its JSON or makes it invalid.
            SsePart::LineEnd => {
                self.scanner.push(b"\n", &mut self.answer);
                let is_over = self.scanner.is_done()
                    || self.scanner.is_invalid()
                    || self.done_marker.is_complete();
                if is_over {
                    self.end_event();
                }
            }
            SsePart::EventEnd => self.end_event(),
            SsePart::Error => self.is_error_event = true,
        }
    }

    fn push_aws(&mut self, bytes: &[u8]) {
        let mut aws = self.aws.take().unwrap_or_default();
        let AwsReader {
            stream,
            payload,
            has_payload,
        } = &mut *aws;
        stream.push(bytes, |part| match part {
            MessagePart::Headers(headers) => {
                payload.reset();
                *has_payload = self.start_message(headers);
            }
            MessagePart::Payload(bytes) if *has_payload => payload.push(bytes, |bytes| {
                self.scanner.push(bytes, &mut self.answer);
            }),
            MessagePart::Payload(bytes) => {
                self.scanner.push(bytes, &mut self.answer);
            }
            MessagePart::End => self.end_event(),
            MessagePart::Corrupt => self.answer.invalidate(),
        });
        self.aws = Some(aws);
    }

    /// Reads the headers of a message, and returns true if its payload is an event in base64.
    fn start_message(&mut self, headers: MessageHeaders<'_>) -> bool {
        /// The event type that Bedrock uses for the events of other dialects.
        const CHUNK: &str = "chunk";

        self.is_in_event = true;
        let text = |name| headers.text(name);
        match text(":message-type") {
            Some("exception") => self.answer.set_error(text(":exception-type").unwrap_or("")),
            Some("error") => self.answer.set_error(text(":error-code").unwrap_or("")),
            _ => {}
        }
        let event_type = text(":event-type");
        let is_chunk = event_type == Some(CHUNK);
        if !is_chunk {
            self.answer.event.event_type = event_type.map(Into::into);
        }
        is_chunk
    }

    fn push_lines(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.push_line(&bytes[..end]);
            self.end_event();
            bytes = &bytes[end + 1..];
        }
        self.push_line(bytes);
    }

    fn push_line(&mut self, bytes: &[u8]) {
        self.is_in_event |= !bytes.is_empty();
        self.scanner.push(bytes, &mut self.answer);
    }

    fn push_json(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = self.push_text(bytes);
        }
    }

    fn push_array(&mut self, mut bytes: &[u8]) {
        while self.format == DetectedFormat::JsonArray
            && let [byte, after @ ..] = bytes
        {
            match byte {
                b',' | b' ' | b'\t' | b'\n' | b'\r' if !self.is_in_event => bytes = after,
                b']' if !self.is_in_event => {
                    self.format = DetectedFormat::AfterJsonArray;
                    // If the events have finish reasons, those decide.
                    let is_complete = !self.progress.has_invalid_json
                        && self.answer.facts.finish_reasons.is_empty();
                    self.answer.has_ended |= is_complete;
                }
                _ => bytes = self.push_text(bytes),
            }
        }
    }

    /// Reads up to the end of a JSON text, and returns the bytes after it.
    fn push_text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.is_in_event = true;
        let read = self.scanner.push(bytes, &mut self.answer);
        if self.scanner.is_done() {
            self.end_event();
        }
        &bytes[read..]
    }

    /// Ends an event. An event that is not whole has no meaning beyond its single values.
    fn end_event(&mut self) {
        let is_error = std::mem::take(&mut self.is_error_event);
        if !std::mem::take(&mut self.is_in_event) {
            // The type of an event without data, or after its data.
            if is_error && self.declared == DeclaredFormat::Sse {
                self.answer.set_error("");
            }
            return;
        }
        let is_marker = std::mem::take(&mut self.done_marker).is_complete();
        let is_whole = self.scanner.is_done();
        self.progress.has_event |= is_whole || is_marker;
        // A body of another format may start with the same word.
        if is_error && (is_whole || self.declared == DeclaredFormat::Sse) {
            self.answer.set_error("");
        }
        self.progress.has_invalid_json |= self.scanner.is_invalid();
        self.scanner.reset();
        let event = self.answer.end_event(is_whole);
        if is_whole {
            (self.on_event)(&mut self.answer, &event);
            // Some streams end without an end marker, after the finish reasons.
            self.progress.has_finished = self.answer.facts.finish_reasons.is_finished();
        }
        self.answer.content.end_event();
        // A response that is not streamed is a single event.
        self.answer.has_ended |= is_marker || (is_whole && self.format == DetectedFormat::Json);
    }
}

impl Default for AwsReader {
    fn default() -> Self {
        Self {
            stream: AwsEventStream::new(),
            payload: Base64Payload::new(),
            has_payload: false,
        }
    }
}
