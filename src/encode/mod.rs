//! Blocks of series to text and bytes.
//!
//! An encoder knows the [`snapshot`](crate::snapshot) and nothing else: neither
//! a registry nor a request. It is given one series after the other and appends
//! to the caller's [`Buffer`], so whoever calls it decides how much is held at a
//! time.

mod buffer;
mod json;
mod number;
mod protobuf;
mod text;

pub(crate) use buffer::Buffer;
#[cfg(feature = "dashboard")]
pub(crate) use json::JsonWriter;
pub(crate) use json::{JsonEncoder, rfc3339};
pub(crate) use protobuf::ProtobufEncoder;
pub(crate) use text::{TextEncoder, TextFormat};

use crate::snapshot::SeriesBlock;

/// Something that writes series in an exposition format.
///
/// `start` is called once before the first block, `finish` once after the last.
/// A family's blocks follow one another; of each, `block` is called once and then
/// `series` for every series in turn.
pub(crate) trait Encode {
    fn start(&mut self, page: &mut Buffer);
    fn block(&mut self, block: &SeriesBlock, page: &mut Buffer);
    fn series(&mut self, block: &SeriesBlock, series: usize, page: &mut Buffer);
    /// Returns how many bytes a call of `series` may give at once of those before it.
    fn max_pending(&self) -> usize {
        0
    }
    /// Ends the exposition; `cut` says that not all series are in it.
    fn finish(&mut self, truncated: bool, page: &mut Buffer);
}
