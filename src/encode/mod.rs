//! Blocks of series to text.
//!
//! An encoder knows the [`snapshot`](crate::snapshot) and nothing else: neither
//! a registry nor a request. It is given one block after the other and appends
//! to the caller's buffer, so whoever calls it decides how much text is held at
//! a time.

mod json;
mod number;
mod text;

pub(crate) use json::JsonEncoder;
pub(crate) use text::TextEncoder;

use crate::snapshot::Block;

/// Something that writes blocks in an exposition format.
///
/// `start` is called once before the first block, `finish` once after the last,
/// and a family's blocks follow one another.
pub(crate) trait Encode {
    fn start(&mut self, out: &mut String);
    fn block(&mut self, block: &Block, out: &mut String);
    fn finish(&mut self, out: &mut String);
}
