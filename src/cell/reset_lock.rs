//! A lock that resets of counters and histograms hold.
//!
//! A reset reads a cell and then subtracts what it read. Two resets at the same time would
//! subtract it twice. Resets are rare and short, so one lock for all cells suffices. Raising a
//! counter to a value depends on what was read, too.

use std::sync::PoisonError;

use crate::cell::sync::Mutex;

/// Runs a reset while no other reset runs.
#[cfg(not(tachometer_loom))]
pub(crate) fn with_reset_lock<T>(reset: impl FnOnce() -> T) -> T {
    static RESETTING: Mutex<()> = Mutex::new(());

    let _guard = RESETTING.lock().unwrap_or_else(PoisonError::into_inner);
    reset()
}

/// Runs a reset while no other reset of the model runs.
#[cfg(tachometer_loom)]
pub(crate) fn with_reset_lock<T>(reset: impl FnOnce() -> T) -> T {
    loom::lazy_static! {
        static ref RESETTING: Mutex<()> = Mutex::new(());
    }

    let _guard = RESETTING.lock().unwrap_or_else(PoisonError::into_inner);
    reset()
}
