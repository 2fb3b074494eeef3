//! AWS's event streams (`application/vnd.amazon.eventstream`): the payload of each event.
//!
//! A message is a prelude of twelve bytes (its length, that of its headers, and a checksum
//! of the two), the headers, the payload, and a checksum of all of it, in the order of the
//! network. Its shape is that of the Smithy specification, "Amazon Event Stream".

use crc32fast::Hasher;

/// What follows in a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum MessagePart<'a> {
    /// A message begins, with these headers.
    Head(Headers<'a>),
    /// A piece of its payload.
    Payload(&'a [u8]),
    /// It has ended, and is whole.
    End,
    /// Its lengths or checksums are wrong, and nothing after it can be read.
    Broken,
}

/// The headers of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Headers<'a>(&'a [u8]);

/// Cuts a stream into messages, of which it keeps the headers alone.
#[derive(Debug, Clone)]
pub(crate) struct AwsEventStream {
    state: State,
    /// The prelude, headers or checksum, as far as it has come.
    kept: Vec<u8>,
    /// How much of what the state is about is still to come.
    left: usize,
    /// How long the payload is, once the prelude has told it.
    payload: usize,
    checksum: Hasher,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Prelude,
    Headers,
    Payload,
    Checksum,
    Broken,
}

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The longest message that AWS's clients take, and the longest headers.
const LONGEST: usize = 24 << 20;
const LONGEST_HEADERS: usize = 128 << 10;

/// So much of the headers is kept; those of a model's events are far shorter.
const KEPT: usize = 4 << 10;

impl AwsEventStream {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Prelude,
            kept: Vec::new(),
            left: PRELUDE,
            payload: 0,
            checksum: Hasher::new(),
        }
    }

    /// Reads on, tells `tell` what there is, and returns once all bytes are read.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut tell: impl FnMut(MessagePart<'_>)) {
        while self.state != State::Broken {
            let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= piece.len();
            bytes = rest;
            self.read(piece, &mut tell);
            if self.left > 0 {
                return;
            }
            self.next(&mut tell);
        }
    }

    fn read(&mut self, piece: &[u8], tell: &mut impl FnMut(MessagePart<'_>)) {
        // Its own checksum is that of what came before.
        if self.state != State::Checksum {
            self.checksum.update(piece);
        }
        if self.state != State::Payload {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        } else if !piece.is_empty() {
            tell(MessagePart::Payload(piece));
        }
    }

    /// Goes on after a part that is whole.
    fn next(&mut self, tell: &mut impl FnMut(MessagePart<'_>)) {
        let (state, left) = match self.state {
            State::Prelude => match self.lengths() {
                Some((headers, payload)) => {
                    self.payload = payload;
                    (State::Headers, headers)
                }
                None => (State::Broken, 0),
            },
            State::Headers => {
                tell(MessagePart::Head(Headers(&self.kept)));
                (State::Payload, self.payload)
            }
            State::Payload => (State::Checksum, CHECKSUM),
            State::Checksum if self.kept == self.sum() => {
                tell(MessagePart::End);
                self.checksum.reset();
                (State::Prelude, PRELUDE)
            }
            State::Checksum | State::Broken => (State::Broken, 0),
        };
        if state == State::Broken {
            tell(MessagePart::Broken);
        }
        self.state = state;
        self.left = left;
        self.kept.clear();
    }

    /// Returns the lengths of headers and payload, if they can be, and the prelude's own
    /// checksum is right.
    fn lengths(&self) -> Option<(usize, usize)> {
        let (total, rest) = self.kept.split_first_chunk()?;
        let (headers, sum) = rest.split_first_chunk()?;
        let [total, headers] = [total, headers].map(|bytes| u32::from_be_bytes(*bytes));
        let [total, headers] = [total, headers].map(|length| usize::try_from(length).ok());
        let (total, headers) = (total?, headers?);
        let mut checksum = Hasher::new();
        checksum.update(&self.kept[..PRELUDE - CHECKSUM]);
        let is_right = sum == checksum.finalize().to_be_bytes();
        let is_short = total <= LONGEST && headers <= LONGEST_HEADERS;
        if !is_right || !is_short {
            return None;
        }
        let payload = total.checked_sub(PRELUDE + headers + CHECKSUM)?;
        Some((headers, payload))
    }

    fn sum(&self) -> [u8; CHECKSUM] {
        self.checksum.clone().finalize().to_be_bytes()
    }
}

impl<'a> Headers<'a> {
    /// Returns a header's value, if there is one that is text.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        const TEXT: u8 = 7;
        let mut rest = self.0;
        loop {
            let own = take(&mut rest, 1)?;
            let own = take(&mut rest, usize::from(own[0]))?;
            let kind = *rest.first()?;
            rest = &rest[1..];
            let value = match kind {
                // Two truths, then a byte, numbers, bytes, a text, a moment and a UUID.
                0 | 1 => &[],
                2 => take(&mut rest, 1)?,
                3 => take(&mut rest, 2)?,
                4 => take(&mut rest, 4)?,
                5 | 8 => take(&mut rest, 8)?,
                6 | TEXT => {
                    let (length, after) = rest.split_first_chunk()?;
                    rest = after;
                    take(&mut rest, usize::from(u16::from_be_bytes(*length)))?
                }
                9 => take(&mut rest, 16)?,
                _ => return None,
            };
            if own == name.as_bytes() && kind == TEXT {
                return str::from_utf8(value).ok();
            }
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_after_headers_of_every_other_type() {
        let lengths: [(u8, usize); 9] = [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 4),
            (5, 8),
            (6, 2),
            (8, 8),
            (9, 16),
        ];
        for (kind, length) in lengths {
            let mut bytes = b"\x01x".to_vec();
            bytes.push(kind);
            // A header of bytes starts with their number, which is 0 here.
            bytes.extend(vec![0; length]);
            bytes.extend(b"\x01y\x07\x00\x02no");
            assert_eq!(Headers(&bytes).text("y"), Some("no"), "type {kind}");
            assert_eq!(Headers(&bytes).text("x"), None, "type {kind}");
        }
        assert_eq!(Headers(b"\x01x\x0a\x01y\x07\x00\x02no").text("y"), None);
    }
}
