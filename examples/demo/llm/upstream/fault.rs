//! What goes wrong, and when.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    RateLimited,
    Failed,
    Overloaded,
    /// A stream that says that it failed.
    WithinStream,
    /// An answer that breaks off.
    Cut,
}

const FAULTS: [Fault; 5] = [
    Fault::Cut,
    Fault::RateLimited,
    Fault::WithinStream,
    Fault::Overloaded,
    Fault::Failed,
];

/// One call of so many fails.
const EVERY: usize = 16;

/// Counted, not drawn, so that each kind is seen before long.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: AtomicUsize,
}

impl Faults {
    /// Returns what goes wrong with the next call.
    pub(super) fn next(&self) -> Option<Fault> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        (call % EVERY == EVERY / 2).then(|| FAULTS[call / EVERY % FAULTS.len()])
    }
}

impl Fault {
    /// Returns the status of a call that is refused, or nothing where its answer begins.
    pub(super) fn status(self, is_streamed: bool) -> Option<StatusCode> {
        match self {
            Self::RateLimited => Some(StatusCode::TOO_MANY_REQUESTS),
            // Anthropic's own; others say the same by a 503.
            Self::Overloaded => StatusCode::from_u16(529).ok(),
            Self::WithinStream if is_streamed => None,
            Self::Failed | Self::WithinStream => Some(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Cut => None,
        }
    }
}
