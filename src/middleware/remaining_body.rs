//! How much of a response's body is to come.

use http::{HeaderMap, Response, StatusCode, header};
use http_body::Body;

use crate::middleware::methods::MethodLabel;

/// How much of a response's body is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemainingBody {
    /// No more bytes: the response has no body, or all of it was sent.
    Nothing,
    /// This many bytes. After them hyper stops polling, so the body's end is never seen.
    Bytes(u64),
    /// As many as come until the body ends.
    Unknown,
}

impl RemainingBody {
    #[inline]
    pub(super) fn from_response(method: MethodLabel, response: &Response<impl Body>) -> Self {
        let (status, body) = (response.status(), response.body());
        let has_no_body = method == MethodLabel::HEAD
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if has_no_body || body.is_end_stream() {
            return Self::Nothing;
        }
        // As in hyper: the body's size hint, or else the header `Content-Length`.
        match body
            .size_hint()
            .exact()
            .or_else(|| declared_length(response.headers()))
        {
            Some(0) => Self::Nothing,
            Some(bytes) => Self::Bytes(bytes),
            None => Self::Unknown,
        }
    }

    /// Subtracts bytes that were sent.
    #[inline]
    pub(super) fn subtract(&mut self, bytes: usize) {
        if let Self::Bytes(remaining) = self {
            *self = match remaining.saturating_sub(bytes as u64) {
                0 => Self::Nothing,
                remaining => Self::Bytes(remaining),
            };
        }
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
