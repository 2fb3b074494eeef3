//! Server-sent events (WHATWG HTML, 9.2 "Server-sent events"): the data of each.

use memchr::memchr2;

/// What follows in a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum SsePart<'a> {
    /// A piece of an event's data.
    Data(&'a [u8]),
    /// A line of data has ended, and the event may go on.
    Line,
    /// The event has ended.
    End,
    /// The event is an error, whatever its data says.
    Error,
}

/// Cuts a stream into events, without keeping any of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SseStream {
    state: State,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    returned: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In the name of a field. So many bytes match.
    Name(Name, usize),
    /// After the colon, where a space means nothing.
    Colon(Name),
    Data,
    /// In the type of an event. So many bytes match `error`.
    Type(usize),
    /// In a line that says nothing of interest.
    Other,
}

/// A field of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Name {
    Data,
    /// The type of the event.
    Event,
    /// An error in place of data: no field of the standard, but some servers send it.
    Error,
}

const ERROR: &[u8] = b"error";

impl Name {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Data => b"data",
            Self::Event => b"event",
            Self::Error => ERROR,
        }
    }

    /// Returns the name that goes on with this byte.
    fn going_on(self, matched: usize, byte: u8) -> Option<Self> {
        match (matched, byte) {
            (0, b'd') => Some(Self::Data),
            (0, b'e') => Some(Self::Event),
            (1, b'r') if self == Self::Event => Some(Self::Error),
            _ => (self.as_bytes().get(matched) == Some(&byte)).then_some(self),
        }
    }
}

const LINE: State = State::Name(Name::Data, 0);

impl SseStream {
    pub(crate) fn new() -> Self {
        Self {
            state: LINE,
            returned: false,
        }
    }

    /// Reads on, tells `tell` what there is, and returns once all bytes are read.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut tell: impl FnMut(SsePart<'_>)) {
        while let Some(byte) = bytes.first() {
            if std::mem::take(&mut self.returned) && *byte == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let read = match self.state {
                // Most names come whole.
                State::Name(_, 0) if bytes.starts_with(b"data:") => {
                    self.state = State::Colon(Name::Data);
                    b"data:".len()
                }
                State::Name(_, 0) if bytes.starts_with(b"event:") => {
                    self.state = State::Colon(Name::Event);
                    b"event:".len()
                }
                State::Name(name, matched) => self.name(name, matched, *byte, &mut tell),
                State::Colon(name) => {
                    self.state = match name {
                        Name::Data => State::Data,
                        Name::Event => State::Type(0),
                        Name::Error => {
                            tell(SsePart::Error);
                            State::Data
                        }
                    };
                    usize::from(*byte == b' ')
                }
                State::Data | State::Type(_) | State::Other => self.rest(bytes, &mut tell),
            };
            bytes = &bytes[read..];
        }
    }

    fn name(
        &mut self,
        name: Name,
        matched: usize,
        byte: u8,
        tell: &mut impl FnMut(SsePart<'_>),
    ) -> usize {
        self.state = match byte {
            b'\n' | b'\r' => {
                if matched == 0 {
                    tell(SsePart::End);
                }
                self.returned = byte == b'\r';
                LINE
            }
            b':' if matched == name.as_bytes().len() => State::Colon(name),
            _ => match name.going_on(matched, byte) {
                Some(name) => State::Name(name, matched + 1),
                None => State::Other,
            },
        };
        1
    }

    /// Reads up to the end of the line.
    fn rest(&mut self, bytes: &[u8], tell: &mut impl FnMut(SsePart<'_>)) -> usize {
        let end = memchr2(b'\n', b'\r', bytes);
        let line = &bytes[..end.unwrap_or(bytes.len())];
        match &mut self.state {
            State::Data => tell(SsePart::Data(line)),
            State::Type(matched) if ERROR[*matched..].starts_with(line) => *matched += line.len(),
            _ => self.state = State::Other,
        }
        let Some(end) = end else {
            return bytes.len();
        };
        match self.state {
            State::Data => tell(SsePart::Line),
            State::Type(matched) if matched == ERROR.len() => tell(SsePart::Error),
            _ => {}
        }
        self.returned = bytes[end] == b'\r';
        self.state = LINE;
        end + 1
    }
}
