//! What a layer takes its times from.

use std::time::{Duration, Instant};

use crate::context::hook::Hook;

/// The system's clock, or one of the user's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Option<Hook<NowFn>>);

pub(crate) type NowFn = dyn Fn() -> Instant + Send + Sync;

impl Clock {
    pub(crate) fn from_hook(now: Hook<NowFn>) -> Self {
        Self(Some(now))
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(hook) => hook.call(|now| now()).unwrap_or_else(Instant::now),
        }
    }

    /// Returns the time since an instant, or none at all if the clock went back.
    #[inline]
    pub(crate) fn since(&self, started: Instant) -> Duration {
        self.now().saturating_duration_since(started)
    }
}
