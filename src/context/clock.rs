//! The clock of a layer.

use std::time::{Duration, Instant};

use crate::context::user_closure::{OnPanic, UserClosure};

/// The system's clock, or one that the user sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Option<UserClosure<NowFn>>);

/// A closure that returns the current time.
pub(crate) type NowFn = dyn Fn() -> Instant + Send + Sync;

impl Clock {
    pub(crate) fn from_hook(now: UserClosure<NowFn>) -> Self {
        Self(Some(now))
    }

    /// Sets what is called after a panic of the user's clock.
    pub(crate) fn set_on_panic(&mut self, on_panic: &OnPanic) {
        if let Some(closure) = &mut self.0 {
            closure.set_on_panic(on_panic);
        }
    }

    /// Returns the current time, by the system's clock if the user's clock panics.
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(closure) => closure.call(|now| now()).unwrap_or_else(Instant::now),
        }
    }

    /// Returns the time since `start`, or zero if the clock went back.
    #[inline]
    pub(crate) fn since(&self, start: Instant) -> Duration {
        self.now().saturating_duration_since(start)
    }
}
