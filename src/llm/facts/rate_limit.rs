//! A rate limit of a provider.

use std::time::Duration;

/// One rate limit, as the headers of a response report it.
#[derive(Debug, PartialEq)]
pub(crate) struct RateLimit {
    /// What is limited, such as `requests`.
    pub(crate) kind: &'static str,
    pub(crate) remaining: f64,
    pub(crate) limit: Option<f64>,
    /// The time until the limit is full again.
    pub(crate) reset: Option<Duration>,
}
