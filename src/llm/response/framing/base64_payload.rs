//! An event within another, in base64, as Bedrock wraps those of the models it invokes:
//! `{"bytes":"eyJ0..","p":"abc"}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::llm::response::answer::Field;
use crate::llm::response::json::{Branch, Scanner, Sink, Value, field};

/// The reader of the event around the other.
#[derive(Debug)]
pub(crate) struct Base64Payload {
    scanner: Scanner,
    letters: Letters,
}

/// The letters that are not decoded yet: four of them are three bytes.
#[derive(Debug, Default)]
struct Letters {
    kept: [u8; 4],
    len: usize,
}

const EVENT: &[Branch] = &[field("bytes", Field::Wrapped)];

impl Base64Payload {
    pub(crate) fn new() -> Self {
        Self {
            scanner: Scanner::new(EVENT),
            letters: Letters::default(),
        }
    }

    /// Begins with another event.
    pub(crate) fn reset(&mut self) {
        self.scanner.reset();
        self.letters = Letters::default();
    }

    /// Reads on, and tells `tell` the bytes of the event within.
    pub(crate) fn push(&mut self, bytes: &[u8], tell: impl FnMut(&[u8])) {
        let letters = &mut self.letters;
        self.scanner.push(bytes, &mut Decoder { letters, tell });
    }
}

struct Decoder<'a, T> {
    letters: &'a mut Letters,
    tell: T,
}

impl<T: FnMut(&[u8])> Sink for Decoder<'_, T> {
    fn take(&mut self, _: Field, value: Value<'_>) {
        if let Value::Piece(piece) = value {
            self.decode(piece);
        }
    }
}

impl<T: FnMut(&[u8])> Decoder<'_, T> {
    fn decode(&mut self, mut piece: &[u8]) {
        while self.letters.len > 0
            && let [letter, rest @ ..] = piece
        {
            self.letters.push(*letter);
            piece = rest;
            if self.letters.len == 4 {
                self.letters.len = 0;
                let four = self.letters.kept;
                self.tell(&four);
            }
        }
        let (whole, rest) = piece.split_at(piece.len() / 4 * 4);
        // So many letters at a time, since their bytes are on the stack.
        for letters in whole.chunks(1_024) {
            self.tell(letters);
        }
        for letter in rest {
            self.letters.push(*letter);
        }
    }

    fn tell(&mut self, letters: &[u8]) {
        let mut bytes = [0; 768];
        // What is no base64 is no event, and leaves one that is not whole.
        if let Ok(len) = STANDARD.decode_slice(letters, &mut bytes) {
            (self.tell)(&bytes[..len]);
        }
    }
}

impl Letters {
    fn push(&mut self, letter: u8) {
        self.kept[self.len] = letter;
        self.len += 1;
    }
}
