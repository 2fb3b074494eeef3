//! Answers as they are, without the feature `compression`.

use axum::http::HeaderMap;

use crate::router::encoded_chunks::Coder;

/// Returns what compresses an answer: nothing.
pub(super) fn coder(_: &HeaderMap) -> Option<Box<dyn Coder>> {
    None
}
