//! The service level of a route: how soon its requests are to end well.

use std::time::Duration;

use crate::metric::Counter;
use crate::middleware::outcome::Outcome;

/// What one route promises, and how often it was asked and kept its word.
#[derive(Debug)]
pub(super) struct ServiceLevel {
    pub(super) target: Duration,
    pub(super) requests: Counter,
    pub(super) good: Counter,
}

impl ServiceLevel {
    /// Counts a request that took so long, a stream until its head.
    pub(super) fn record(&self, outcome: Outcome, took: Duration, is_stream: bool) {
        let soon = took <= self.target;
        let good = match outcome {
            Outcome::Ok | Outcome::ClientError | Outcome::Upgraded => soon,
            // So streams end.
            Outcome::CancelledInBody if is_stream => soon,
            // Nobody knows what would have become of it.
            Outcome::CancelledBeforeHead | Outcome::CancelledInBody if soon => return,
            // A client that went away after that time has waited in vain.
            Outcome::CancelledBeforeHead
            | Outcome::CancelledInBody
            | Outcome::ServerError
            | Outcome::BodyError
            | Outcome::ServiceError
            | Outcome::Panic => false,
        };
        self.requests.inc();
        if good {
            self.good.inc();
        }
    }
}
