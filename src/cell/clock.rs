//! A monotonic clock in milliseconds, which tests can advance.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Returns the milliseconds since the first call of this function.
#[cfg(not(test))]
pub(crate) fn now() -> u64 {
    elapsed()
}

/// Returns the milliseconds since the first call, plus what the current thread's test added.
#[cfg(test)]
pub(crate) fn now() -> u64 {
    elapsed().saturating_add(manual::added())
}

fn elapsed() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    millis(FIRST.get_or_init(Instant::now).elapsed())
}

/// Returns a duration in whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Advances the clock of the current thread's test.
#[cfg(test)]
pub(crate) fn advance(time: Duration) {
    manual::add(millis(time));
}

/// The time that tests added, for each thread.
#[cfg(test)]
mod manual {
    use std::cell::Cell;

    thread_local! {
        static ADDED: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn added() -> u64 {
        ADDED.get()
    }

    pub(super) fn add(milliseconds: u64) {
        ADDED.set(ADDED.get() + milliseconds);
    }
}
