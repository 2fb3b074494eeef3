//! Warnings that are logged once.

use std::sync::atomic::{AtomicBool, Ordering};

/// Logs the first occurrence of a problem and ignores later ones.
#[derive(Debug)]
pub(crate) struct WarnOnce {
    has_warned: AtomicBool,
}

impl WarnOnce {
    pub(crate) const fn new() -> Self {
        Self {
            has_warned: AtomicBool::new(false),
        }
    }

    /// Calls `warn`, unless it was called before.
    pub(crate) fn warn(&self, warn: impl FnOnce()) {
        // Relaxed: the flag guards no other data. The load keeps later calls from writing.
        if !self.has_warned.load(Ordering::Relaxed)
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            warn();
        }
    }
}
