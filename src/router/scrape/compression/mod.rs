//! Compression of scrape responses, negotiated by `Accept-Encoding`.
//!
//! A chunk is compressed on the blocking thread that encodes it. A middleware such as tower-http's
//! `CompressionLayer` compresses when the body is polled, on a thread that also serves requests.

#[cfg(feature = "compression")]
mod encoders;

#[cfg(not(feature = "compression"))]
use axum::http::HeaderMap;

#[cfg(feature = "compression")]
pub(crate) use encoders::negotiate_compressor;

/// A streaming compressor.
pub(crate) trait Compressor: Send {
    /// Returns the value of `Content-Encoding`.
    fn content_coding(&self) -> &'static str;
    /// Compresses `bytes`. The output may lag behind the input.
    fn compress(&mut self, bytes: &[u8]);
    /// Writes the rest of the output.
    fn finish(&mut self);
    /// Returns the output since the last [`clear_output`](Self::clear_output).
    fn output(&self) -> &[u8];
    /// Discards the output so far.
    fn clear_output(&mut self);
}

/// Returns `None`: without the feature `compression`, responses are never compressed.
#[cfg(not(feature = "compression"))]
pub(crate) fn negotiate_compressor(_: &HeaderMap) -> Option<Box<dyn Compressor>> {
    None
}
