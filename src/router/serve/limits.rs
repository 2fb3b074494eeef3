//! How much a client of the listener may hold, and for how long.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many connections there may be at a time; more wait to be accepted.
    pub(super) connections: u32,
    /// The head of a request has to come within this.
    pub(super) head: Duration,
    /// Something of an answer has to be taken within this.
    pub(super) write: Duration,
    /// Answers have to be finished within this when the listener stops.
    pub(super) grace: Duration,
    /// So long nothing is accepted when it failed.
    pub(super) pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            // It is also how long a connection may be idle: clear of 15, 30 and 60
            // seconds, in whose rhythm scrapers come.
            head: Duration::from_secs(40),
            write: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            pause: Duration::from_secs(1),
        }
    }
}
