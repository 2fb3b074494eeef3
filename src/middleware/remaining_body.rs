//! How much of a response's body is to come.

use http::{Response, StatusCode, header};
use http_body::Body;

use crate::middleware::http_labels::MethodLabel;

/// How much of a response's body is to come, as far as that can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemainingBody {
    /// Nothing that counts: HTTP has no body here, or it has passed.
    Nothing,
    /// After this many bytes hyper stops polling, and never sees the body's end.
    Bytes(u64),
    /// The body says when it ends.
    Unknown,
}

impl RemainingBody {
    pub(super) fn from_response<B: Body>(verb: MethodLabel, response: &Response<B>) -> Self {
        let body = response.body();
        let bodiless = verb == MethodLabel::Head
            || response.status().is_informational()
            || matches!(
                response.status(),
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            );
        if bodiless || body.is_end_stream() {
            return Self::Nothing;
        }
        // As hyper does: the body's own word, or else the head's.
        match body
            .size_hint()
            .exact()
            .or_else(|| declared_length(response))
        {
            Some(0) => Self::Nothing,
            Some(bytes) => Self::Bytes(bytes),
            None => Self::Unknown,
        }
    }

    /// Takes away what has passed.
    #[inline]
    pub(super) fn subtract(&mut self, bytes: usize) {
        if let Self::Bytes(rest) = self {
            *self = match rest.saturating_sub(bytes as u64) {
                0 => Self::Nothing,
                rest => Self::Bytes(rest),
            };
        }
    }
}

fn declared_length<B>(response: &Response<B>) -> Option<u64> {
    let length = response.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
