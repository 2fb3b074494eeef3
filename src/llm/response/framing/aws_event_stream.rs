//! AWS event streams (`application/vnd.amazon.eventstream`): the messages and their payloads.
//!
//! A message consists of a prelude of twelve bytes (the length of the message, the length of
//! its headers, and a checksum of both), the headers, the payload, and a checksum of all that.
//! Numbers are big-endian. See "Amazon Event Stream" in the Smithy specification.
//!
//! The crate `aws-smithy-eventstream` returns whole messages, so it buffers them. It also needs a
//! later Rust than this crate. This parser passes on pieces of payloads and keeps none.

use crc32fast::Hasher;

/// The next part of a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum MessagePart<'a> {
    /// A message starts.
    Headers(MessageHeaders<'a>),
    /// A part of the payload.
    Payload(&'a [u8]),
    /// The message ends, and its checksum is right.
    End,
    /// A length or checksum is wrong. Nothing after it can be read.
    Corrupt,
}

/// The headers of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MessageHeaders<'a>(&'a [u8]);

/// Cuts a stream into messages. It keeps only the headers of the current one.
#[derive(Debug, Clone)]
pub(crate) struct AwsEventStream {
    state: State,
    /// The prelude, headers or checksum that is being read.
    buffer: Vec<u8>,
    /// The number of bytes of the current part that have not come.
    remaining: usize,
    /// The length of the payload, as the prelude says.
    payload_len: usize,
    checksum: Hasher,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Prelude,
    Headers,
    Payload,
    Checksum,
    Corrupt,
}

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The longest message and headers that the clients of AWS accept.
const MAX_MESSAGE_LEN: usize = 24 << 20;
const MAX_HEADERS_LEN: usize = 128 << 10;

/// The bytes of the headers that are kept. Those of LLM events are far shorter.
const MAX_BUFFER_LEN: usize = 4 << 10;

impl AwsEventStream {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Prelude,
            buffer: Vec::new(),
            remaining: PRELUDE,
            payload_len: 0,
            checksum: Hasher::new(),
        }
    }

    /// Reads a chunk, and passes its parts to `take_part`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut take_part: impl FnMut(MessagePart<'_>)) {
        while self.state != State::Corrupt {
            let (part, after) = bytes.split_at(self.remaining.min(bytes.len()));
            self.remaining -= part.len();
            bytes = after;
            self.read(part, &mut take_part);
            if self.remaining > 0 {
                return;
            }
            self.next(&mut take_part);
        }
    }

    fn read(&mut self, part: &[u8], take_part: &mut impl FnMut(MessagePart<'_>)) {
        // A checksum does not cover itself.
        if self.state != State::Checksum {
            self.checksum.update(part);
        }
        if self.state != State::Payload {
            let free = MAX_BUFFER_LEN - self.buffer.len();
            self.buffer.extend_from_slice(&part[..part.len().min(free)]);
        } else if !part.is_empty() {
            take_part(MessagePart::Payload(part));
        }
    }

    /// Goes on to the next part of the message.
    fn next(&mut self, take_part: &mut impl FnMut(MessagePart<'_>)) {
        let (state, remaining) = match self.state {
            State::Prelude => match self.lengths() {
                Some((headers, payload)) => {
                    self.payload_len = payload;
                    (State::Headers, headers)
                }
                None => (State::Corrupt, 0),
            },
            State::Headers => {
                take_part(MessagePart::Headers(MessageHeaders(&self.buffer)));
                (State::Payload, self.payload_len)
            }
            State::Payload => (State::Checksum, CHECKSUM),
            State::Checksum if self.buffer == self.checksum_bytes() => {
                take_part(MessagePart::End);
                self.checksum.reset();
                (State::Prelude, PRELUDE)
            }
            State::Checksum | State::Corrupt => (State::Corrupt, 0),
        };
        if state == State::Corrupt {
            take_part(MessagePart::Corrupt);
        }
        self.state = state;
        self.remaining = remaining;
        self.buffer.clear();
    }

    /// Returns the lengths of headers and payload, if they are possible and the checksum of the
    /// prelude is right.
    fn lengths(&self) -> Option<(usize, usize)> {
        let (total, after) = self.buffer.split_first_chunk()?;
        let (headers, sum) = after.split_first_chunk()?;
        let [total, headers] = [total, headers].map(|bytes| u32::from_be_bytes(*bytes));
        let [total, headers] = [total, headers].map(|length| usize::try_from(length).ok());
        let (total, headers) = (total?, headers?);
        let mut checksum = Hasher::new();
        checksum.update(&self.buffer[..PRELUDE - CHECKSUM]);
        let is_right = sum == checksum.finalize().to_be_bytes();
        let is_allowed = total <= MAX_MESSAGE_LEN && headers <= MAX_HEADERS_LEN;
        if !is_right || !is_allowed {
            return None;
        }
        let payload = total.checked_sub(PRELUDE + headers + CHECKSUM)?;
        Some((headers, payload))
    }

    fn checksum_bytes(&self) -> [u8; CHECKSUM] {
        self.checksum.clone().finalize().to_be_bytes()
    }
}

impl<'a> MessageHeaders<'a> {
    /// Returns the value of a header, if it is a string.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        const TEXT: u8 = 7;
        let mut remaining = self.0;
        loop {
            let name_len = take(&mut remaining, 1)?;
            let key = take(&mut remaining, usize::from(name_len[0]))?;
            let kind = *remaining.first()?;
            remaining = &remaining[1..];
            let value = match kind {
                // Booleans, integers, bytes, a string, a timestamp and a UUID.
                0 | 1 => &[],
                2 => take(&mut remaining, 1)?,
                3 => take(&mut remaining, 2)?,
                4 => take(&mut remaining, 4)?,
                5 | 8 => take(&mut remaining, 8)?,
                6 | TEXT => {
                    let (length, after) = remaining.split_first_chunk()?;
                    remaining = after;
                    take(&mut remaining, usize::from(u16::from_be_bytes(*length)))?
                }
                9 => take(&mut remaining, 16)?,
                _ => return None,
            };
            if key == name.as_bytes() && kind == TEXT {
                return str::from_utf8(value).ok();
            }
        }
    }
}

fn take<'a>(remaining: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = remaining.split_at_checked(length)?;
    *remaining = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_found_after_headers_of_every_other_type() {
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
            assert_eq!(MessageHeaders(&bytes).text("y"), Some("no"), "type {kind}");
            assert_eq!(MessageHeaders(&bytes).text("x"), None, "type {kind}");
        }
        assert_eq!(
            MessageHeaders(b"\x01x\x0a\x01y\x07\x00\x02no").text("y"),
            None
        );
    }
}
