//! What the scanner tells.

use crate::llm::response::answer::Field;

/// What takes the values that are read.
pub(crate) trait Sink {
    fn take(&mut self, field: Field, value: Value<'_>);
}

/// A value that is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    /// Of a long one, its beginning.
    Text(&'a str),
    /// A part of a string that is told as it comes, as it is written.
    Piece(&'a [u8]),
    /// An object or array begins.
    Open,
    /// It has ended, and all that is read within it came before.
    Close,
}
