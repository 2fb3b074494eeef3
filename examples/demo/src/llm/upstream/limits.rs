//! The rate limits of each model. They are reported but not enforced: injected faults decide
//! which calls are rejected.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const REQUESTS: u64 = 500;
const TOKENS: u64 = 2_000_000;
const RESET_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Limits {
    /// The remaining limits by model.
    models: Mutex<HashMap<String, RemainingLimits>>,
}

/// What remains until the next reset.
#[derive(Debug, Clone, Copy)]
pub(super) struct RemainingLimits {
    requests: u64,
    tokens: u64,
    until: Instant,
}

impl Limits {
    /// Counts a request and its tokens, and returns what remains.
    pub(super) fn consume(&self, model: &str, tokens: u64) -> RemainingLimits {
        self.change(model, |remaining| {
            remaining.requests = remaining.requests.saturating_sub(1);
            remaining.tokens = remaining.tokens.saturating_sub(tokens);
        })
    }

    /// Returns what remains.
    pub(super) fn remaining(&self, model: &str) -> RemainingLimits {
        self.change(model, |_| {})
    }

    fn change(&self, model: &str, change: impl FnOnce(&mut RemainingLimits)) -> RemainingLimits {
        let now = Instant::now();
        let fresh = RemainingLimits {
            requests: REQUESTS,
            tokens: TOKENS,
            until: now + RESET_INTERVAL,
        };
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let remaining = models.entry(model.to_owned()).or_insert(fresh);
        if remaining.until <= now {
            *remaining = fresh;
        }
        change(remaining);
        *remaining
    }
}

impl RemainingLimits {
    /// Returns each kind with its limit and what remains.
    pub(super) fn kinds(&self) -> [(&'static str, u64, u64); 2] {
        [
            ("requests", REQUESTS, self.requests),
            ("tokens", TOKENS, self.tokens),
        ]
    }

    /// Returns the time until the limits reset.
    pub(super) fn time_until_reset(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}
