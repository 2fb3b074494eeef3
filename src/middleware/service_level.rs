//! The service level of a route: the time within which its requests should succeed.

use std::time::Duration;

use crate::metric::Counter;
use crate::middleware::outcome::Outcome;

/// The service level of an endpoint: its target, and the counters of its requests.
#[derive(Debug)]
pub(super) struct ServiceLevel {
    pub(super) target: Duration,
    /// All requests except those that the client cancelled in time.
    pub(super) requests: Counter,
    /// Those that met the service level.
    pub(super) good: Counter,
}

impl ServiceLevel {
    /// Counts a request by its duration, which for a stream is the time to its head.
    pub(super) fn record(&self, outcome: Outcome, duration: Duration, is_stream: bool) {
        let is_in_time = duration <= self.target;
        let is_good = match outcome {
            Outcome::Ok | Outcome::ClientError | Outcome::Upgraded => is_in_time,
            // Clients end streams by disconnecting; that is not a failure.
            Outcome::CancelledInBody if is_stream => is_in_time,
            // It could still have met the service level.
            Outcome::CancelledBeforeHead | Outcome::CancelledInBody if is_in_time => return,
            // The client waited longer than the target.
            Outcome::CancelledBeforeHead
            | Outcome::CancelledInBody
            | Outcome::ServerError
            | Outcome::BodyError
            | Outcome::ServiceError
            | Outcome::Panic => false,
        };
        self.requests.inc();
        if is_good {
            self.good.inc();
        }
    }
}
