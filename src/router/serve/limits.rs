//! How much the clients of the listener may hold, and for how long.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(super) struct ListenerLimits {
    /// How many connections there may be.
    pub(super) connections: usize,
    /// How many of them may come from one address.
    pub(super) per_address: usize,
    /// A connection's first request has to come within this.
    pub(super) first: Duration,
    /// A later request has to come within this.
    pub(super) idle: Duration,
    /// Something of an answer has to be taken within this.
    pub(super) write: Duration,
    /// An answer has to be taken whole within this.
    pub(super) deadline: Duration,
    /// Answers have to be finished within this when the listener stops.
    pub(super) grace: Duration,
    /// Nothing is accepted for this time after a failure.
    pub(super) pause: Duration,
    /// How many connections may wait for the answer that refuses them.
    pub(super) refused: usize,
    /// For so long one of these may wait.
    pub(super) refusal: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 64,
            per_address: 16,
            first: Duration::from_secs(10),
            // Clear of 15 and 30 seconds, the usual intervals between scrapes.
            idle: Duration::from_secs(40),
            write: Duration::from_secs(30),
            deadline: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            refused: 8,
            refusal: Duration::from_secs(1),
        }
    }
}
