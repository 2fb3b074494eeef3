//! Base64 payloads: Bedrock puts the events of the models it invokes into events of its own,
//! `{"bytes":"eyJ0..","p":"abc"}`.
//!
//! The crate `base64` decodes a whole text, or reads from an [`io::Read`](std::io::Read). Here the
//! text arrives in pieces of any length, so they are cut into groups that the crate can decode.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::llm::response::json::{Branch, Scanner, string_chunks};

/// Decodes the base64 payload of an event, whose content is JSON again.
#[derive(Debug)]
pub(crate) struct Base64Payload {
    scanner: Scanner<Decoder>,
    decoder: Decoder,
}

const OUTER_EVENT: &[Branch<Decoder>] = &[string_chunks("bytes", Decoder::decode)];

/// The number of base64 characters that are decoded at a time. It bounds the decoded bytes in
/// memory.
const CHUNK: usize = 1_024;

impl Base64Payload {
    pub(crate) fn new() -> Self {
        Self {
            scanner: Scanner::new(OUTER_EVENT),
            decoder: Decoder::default(),
        }
    }

    /// Starts a new outer event.
    pub(crate) fn reset(&mut self) {
        self.scanner.reset();
        self.decoder.pending_len = 0;
    }

    /// Reads a part of the event that contains the payload, and passes the decoded bytes to `take`.
    pub(crate) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        for chunk in bytes.chunks(CHUNK) {
            self.scanner.push(chunk, &mut self.decoder);
            take(&self.decoder.decoded);
            self.decoder.decoded.clear();
        }
    }
}

#[derive(Default)]
struct Decoder {
    /// The last letters, if they are less than the four that encode three bytes.
    pending: [u8; 4],
    pending_len: usize,
    decoded: Vec<u8>,
}

impl Decoder {
    fn decode(&mut self, mut letters: &[u8]) {
        while self.pending_len > 0
            && let [letter, after @ ..] = letters
        {
            self.append_to_group(*letter);
            letters = after;
            if self.pending_len == self.pending.len() {
                self.pending_len = 0;
                let group = self.pending;
                self.decode_whole(&group);
            }
        }
        let (whole, incomplete) = letters.split_at(letters.len() / 4 * 4);
        self.decode_whole(whole);
        for letter in incomplete {
            self.append_to_group(*letter);
        }
    }

    fn append_to_group(&mut self, letter: u8) {
        self.pending[self.pending_len] = letter;
        self.pending_len += 1;
    }

    /// Decodes groups of four letters. Invalid ones are skipped, so that the inner event stays
    /// incomplete.
    fn decode_whole(&mut self, letters: &[u8]) {
        let mut bytes = [0; CHUNK / 4 * 3];
        if let Ok(len) = STANDARD.decode_slice(letters, &mut bytes) {
            self.decoded.extend_from_slice(&bytes[..len]);
        }
    }
}

/// Prints the length only: responses may hold user data.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.decoded.len())
    }
}
