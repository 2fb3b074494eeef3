//! Server-sent events (WHATWG HTML, 9.2 "Server-sent events"): the data of each.

use memchr::memchr2;

/// What follows in a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// A piece of an event's data.
    Data(&'a [u8]),
    /// A line of data has ended, and the event may go on.
    Line,
    /// The event has ended.
    End,
}

/// Cuts a stream into events, without keeping any of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    state: State,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    returned: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// In a line's beginning, of which so many bytes are those of `data`.
    Name(usize),
    /// After the colon, where a space means nothing.
    Colon,
    Data,
    /// In a line that says nothing of interest.
    Other,
}

const NAME: &[u8] = b"data";

impl Events {
    pub(super) fn new() -> Self {
        Self {
            state: State::Name(0),
            returned: false,
        }
    }

    /// Reads on, tells `tell` what there is, and returns once all bytes are read.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Part<'_>)) {
        while let Some(byte) = bytes.first() {
            if std::mem::take(&mut self.returned) && *byte == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let read = match self.state {
                State::Name(matched) => self.name(matched, *byte, &mut tell),
                State::Colon => {
                    self.state = State::Data;
                    usize::from(*byte == b' ')
                }
                State::Data | State::Other => self.rest(bytes, &mut tell),
            };
            bytes = &bytes[read..];
        }
    }

    fn name(&mut self, matched: usize, byte: u8, tell: &mut impl FnMut(Part<'_>)) -> usize {
        self.state = match byte {
            b'\n' | b'\r' => {
                if matched == 0 {
                    tell(Part::End);
                }
                self.returned = byte == b'\r';
                State::Name(0)
            }
            b':' if matched == NAME.len() => State::Colon,
            _ if NAME.get(matched) == Some(&byte) => State::Name(matched + 1),
            _ => State::Other,
        };
        1
    }

    /// Reads up to the end of the line.
    fn rest(&mut self, bytes: &[u8], tell: &mut impl FnMut(Part<'_>)) -> usize {
        let end = memchr2(b'\n', b'\r', bytes);
        let is_data = matches!(self.state, State::Data);
        if is_data {
            tell(Part::Data(&bytes[..end.unwrap_or(bytes.len())]));
        }
        let Some(end) = end else {
            return bytes.len();
        };
        if is_data {
            tell(Part::Line);
        }
        self.returned = bytes[end] == b'\r';
        self.state = State::Name(0);
        end + 1
    }
}
