//! Cuts the bytes of a response into events, whatever their chunks and format.
//!
//! ```text
//! bytes -> ResponseReader -> SSE, AWS event stream, NDJSON, JSON array or JSON
//!       -> Scanner -> Answer
//! ```
//!
//! The first bytes show the format, since proxies often send a wrong content type.

mod aws_event_stream;
mod base64_payload;
mod done_marker;
mod format;
mod reader;
mod sse;
#[cfg(test)]
mod tests;

pub(crate) use format::DeclaredFormat;
pub(crate) use reader::ResponseReader;
