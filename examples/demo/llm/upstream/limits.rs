//! The rate limits of each model, which are told but not enforced: who is refused, the
//! faults say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const REQUESTS: u64 = 500;
const TOKENS: u64 = 2_000_000;
const EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Limits {
    /// What is left of each model's, by its name.
    models: Mutex<HashMap<String, Left>>,
}

/// What is left until a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    requests: u64,
    tokens: u64,
    until: Instant,
}

impl Limits {
    /// Takes a request and its tokens, and returns what is left then.
    pub(super) fn spend(&self, model: &str, tokens: u64) -> Left {
        self.change(model, |left| {
            left.requests = left.requests.saturating_sub(1);
            left.tokens = left.tokens.saturating_sub(tokens);
        })
    }

    /// Returns what is left.
    pub(super) fn left(&self, model: &str) -> Left {
        self.change(model, |_| {})
    }

    fn change(&self, model: &str, change: impl FnOnce(&mut Left)) -> Left {
        let now = Instant::now();
        let fresh = Left {
            requests: REQUESTS,
            tokens: TOKENS,
            until: now + EVERY,
        };
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let left = models.entry(model.to_owned()).or_insert(fresh);
        if left.until <= now {
            *left = fresh;
        }
        change(left);
        *left
    }
}

impl Left {
    /// Returns each kind with what is allowed and what is left of it.
    pub(super) fn kinds(&self) -> [(&'static str, u64, u64); 2] {
        [
            ("requests", REQUESTS, self.requests),
            ("tokens", TOKENS, self.tokens),
        ]
    }

    /// Returns how long it is until all is allowed again.
    pub(super) fn lasts(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}
