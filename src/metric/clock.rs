//! The monotonic clock of cells, for the registry.

#[cfg(test)]
use std::time::Duration;

use crate::cell::clock;

/// Returns the time in milliseconds.
pub(crate) fn now() -> u64 {
    clock::now()
}

/// Advances the clock of the current thread's test.
#[cfg(test)]
pub(crate) fn advance(time: Duration) {
    clock::advance(time);
}
