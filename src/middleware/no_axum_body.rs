//! Stands in for `axum_body.rs` without axum: no type of body is recognized.

use crate::middleware::request_bytes::RequestBytes;

/// Returns false, because the body is not axum's.
pub(super) fn count_bytes<B>(_body: &mut B, _bytes: impl FnOnce() -> RequestBytes) -> bool {
    false
}
