//! The calls of a collector that have not returned.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::metric::clock;

/// A collector is left out of a read if an earlier call has taken longer than this.
const MAX_MILLIS: u64 = 10_000;

/// The calls of a collector that are in progress.
#[derive(Default)]
pub(super) struct CollectorCalls {
    /// The start of each call, in milliseconds of the monotonic clock.
    starts: Mutex<Vec<u64>>,
}

/// A call that is in progress until this is dropped.
pub(super) struct CallGuard<'a> {
    calls: &'a CollectorCalls,
    start: u64,
}

impl CollectorCalls {
    /// Records the start of a call. Returns `None` if an earlier call hangs.
    pub(super) fn start(&self) -> Option<CallGuard<'_>> {
        let start = clock::now();
        let mut starts = self.lock();
        let mut others = starts.iter();
        if others.any(|other| start.saturating_sub(*other) > MAX_MILLIS) {
            return None;
        }
        starts.push(start);
        Some(CallGuard { calls: self, start })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        let mut starts = self.calls.lock();
        if let Some(position) = starts.iter().position(|start| *start == self.start) {
            starts.swap_remove(position);
        }
    }
}
