//! Server-sent events (WHATWG HTML, section 9.2): the data of each event.
//!
//! Crates such as `eventsource-stream` return the whole data of an event, so they buffer it. This
//! parser passes on pieces and keeps none. `benches/README.md`, "LLM calls", compares the times.

use memchr::memchr2;

/// The next part of a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum SsePart<'a> {
    /// A piece of an event's data.
    Data(&'a [u8]),
    /// A line of data ends. The event may go on.
    LineEnd,
    /// The event ends.
    EventEnd,
    /// The type of the event is `error`.
    Error,
}

/// Cuts a stream into events. It keeps none of the data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SseStream {
    state: State,
    /// Whether the last byte was a carriage return, after which a line feed means nothing.
    is_after_cr: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In the name of a field, with the number of bytes that match.
    Name(FieldName, usize),
    /// After the colon, where a space means nothing.
    Colon(FieldName),
    Data,
    /// In the type of an event, with the number of bytes that match `error`.
    Type(usize),
    /// In a line that is skipped.
    Skip,
}

/// A field of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FieldName {
    Data,
    /// The type of the event.
    Event,
    /// An error in place of data. It is not in the standard, but some servers send it.
    Error,
}

const ERROR: &[u8] = b"error";

impl FieldName {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Data => b"data",
            Self::Event => b"event",
            Self::Error => ERROR,
        }
    }

    /// Returns the name whose next byte is this.
    fn with_byte(self, matched: usize, byte: u8) -> Option<Self> {
        match (matched, byte) {
            (0, b'd') => Some(Self::Data),
            (0, b'e') => Some(Self::Event),
            (1, b'r') if self == Self::Event => Some(Self::Error),
            _ => (self.as_bytes().get(matched) == Some(&byte)).then_some(self),
        }
    }
}

/// At the start of a line.
const LINE_START: State = State::Name(FieldName::Data, 0);

impl SseStream {
    pub(crate) fn new() -> Self {
        Self {
            state: LINE_START,
            is_after_cr: false,
        }
    }

    /// Reads a chunk, and passes its parts to `take`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(SsePart<'_>)) {
        while let Some(byte) = bytes.first() {
            if std::mem::take(&mut self.is_after_cr) && *byte == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let read = match self.state {
                // Most names are in one chunk.
                State::Name(_, 0) if bytes.starts_with(b"data:") => {
                    self.state = State::Colon(FieldName::Data);
                    b"data:".len()
                }
                State::Name(_, 0) if bytes.starts_with(b"event:") => {
                    self.state = State::Colon(FieldName::Event);
                    b"event:".len()
                }
                State::Name(name, matched) => self.name(name, matched, *byte, &mut take),
                State::Colon(name) => {
                    self.state = match name {
                        FieldName::Data => State::Data,
                        FieldName::Event => State::Type(0),
                        FieldName::Error => {
                            take(SsePart::Error);
                            State::Data
                        }
                    };
                    usize::from(*byte == b' ')
                }
                State::Data | State::Type(_) | State::Skip => self.line(bytes, &mut take),
            };
            bytes = &bytes[read..];
        }
    }

    fn name(
        &mut self,
        name: FieldName,
        matched: usize,
        byte: u8,
        take: &mut impl FnMut(SsePart<'_>),
    ) -> usize {
        self.state = match byte {
            b'\n' | b'\r' => {
                if matched == 0 {
                    take(SsePart::EventEnd);
                }
                self.is_after_cr = byte == b'\r';
                LINE_START
            }
            b':' if matched == name.as_bytes().len() => State::Colon(name),
            _ => match name.with_byte(matched, byte) {
                Some(name) => State::Name(name, matched + 1),
                None => State::Skip,
            },
        };
        1
    }

    /// Reads up to the end of the line.
    fn line(&mut self, bytes: &[u8], take: &mut impl FnMut(SsePart<'_>)) -> usize {
        let end = memchr2(b'\n', b'\r', bytes);
        let line = &bytes[..end.unwrap_or(bytes.len())];
        match &mut self.state {
            State::Data => take(SsePart::Data(line)),
            State::Type(matched) if ERROR[*matched..].starts_with(line) => *matched += line.len(),
            _ => self.state = State::Skip,
        }
        let Some(end) = end else {
            return bytes.len();
        };
        match self.state {
            State::Data => take(SsePart::LineEnd),
            State::Type(matched) if matched == ERROR.len() => take(SsePart::Error),
            _ => {}
        }
        self.is_after_cr = bytes[end] == b'\r';
        self.state = LINE_START;
        end + 1
    }
}
