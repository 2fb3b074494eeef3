//! Injected faults.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    RateLimited,
    InternalError,
    Overloaded,
    /// An error event in a stream.
    ErrorEvent,
    /// A response body that is cut off.
    CutOff,
}

const FAULTS: [Fault; 5] = [
    Fault::CutOff,
    Fault::RateLimited,
    Fault::ErrorEvent,
    Fault::Overloaded,
    Fault::InternalError,
];

/// One of this many calls fails.
const CALLS_PER_FAULT: usize = 16;

/// Faults come in turn, not at random, so that each kind appears soon.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: AtomicUsize,
}

impl Faults {
    /// Returns the fault of the next call, if it has one.
    pub(super) fn next(&self) -> Option<Fault> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        (call % CALLS_PER_FAULT == CALLS_PER_FAULT / 2)
            .then(|| FAULTS[call / CALLS_PER_FAULT % FAULTS.len()])
    }
}

impl Fault {
    /// Returns the status of a rejected call, or `None` if the response starts normally.
    pub(super) fn status(self, is_streamed: bool) -> Option<StatusCode> {
        match self {
            Self::RateLimited => Some(StatusCode::TOO_MANY_REQUESTS),
            // Specific to Anthropic. Others use 503.
            Self::Overloaded => StatusCode::from_u16(529).ok(),
            Self::ErrorEvent if is_streamed => None,
            Self::InternalError | Self::ErrorEvent => Some(StatusCode::INTERNAL_SERVER_ERROR),
            Self::CutOff => None,
        }
    }
}
