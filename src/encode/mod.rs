//! Encodes blocks of series in the exposition formats.
//!
//! An encoder depends on the [`snapshot`](crate::snapshot) only, neither on a registry nor on a
//! request. It receives one series at a time and appends to the caller's [`Buffer`], so the
//! caller decides how much is held in memory.

mod buffer;
mod json;
mod label_value;
mod number;
#[cfg(feature = "otlp")]
mod otlp;
mod protobuf;
mod text;
mod wire;

pub(crate) use buffer::Buffer;
pub(crate) use json::{JsonEncoder, JsonWriter, rfc3339};
#[cfg(feature = "otlp")]
pub use otlp::Temporality;
#[cfg(all(test, feature = "otlp"))]
pub(crate) use otlp::tests::wire_message::WireMessage;
#[cfg(feature = "otlp")]
pub(crate) use otlp::{
    ExemplarTimes, HistogramEncoding, OtlpEncoder, OtlpSettings, end_of_interval,
};
pub(crate) use protobuf::ProtobufEncoder;
pub(crate) use text::{TextEncoder, TextFormat};

use crate::snapshot::SeriesBlock;

/// An encoder of an exposition format.
///
/// `start` is called once before the first block, and `finish` once after the last. The blocks of
/// a family are consecutive. For each block, `block` is called once, and then `series` for each
/// of its series.
pub(crate) trait Encode {
    fn start(&mut self, buffer: &mut Buffer);
    fn block(&mut self, block: &SeriesBlock, buffer: &mut Buffer);
    fn series(&mut self, block: &SeriesBlock, series: usize, buffer: &mut Buffer);
    /// Returns the maximum number of bytes of earlier series that a call of `series` may append.
    fn max_pending(&self) -> usize {
        0
    }
    /// Ends the exposition; `truncated` is true if series were left out.
    fn finish(&mut self, truncated: bool, buffer: &mut Buffer);
}
