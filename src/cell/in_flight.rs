//! The cell of a gauge that says how many are inside: each enters once, and leaves.
//!
//! It counts both, so that it has what counters have: each thread writes to a lane of
//! its own, and whoever enters on one thread may leave on another.

use crate::cell::counter::CounterCell;
use crate::cell::sync::{Ordering, fence};

/// How many have started and not finished.
#[derive(Debug, Default)]
pub(crate) struct InFlightCell {
    started: CounterCell,
    finished: CounterCell,
}

impl InFlightCell {
    #[inline]
    pub(crate) fn start(&self) {
        self.started.add(1);
    }

    /// Counts one that has started before, be it on another thread.
    #[inline]
    pub(crate) fn finish(&self) {
        // Release: whoever sees that it finished must see that it started.
        fence(Ordering::Release);
        self.finished.add(1);
    }

    /// Counts one that has started here as inside another cell. A reader that reads
    /// this cell first finds it in one of them, or in both.
    #[inline]
    pub(crate) fn move_to(&self, other: &Self) {
        other.start();
        self.finish();
    }

    /// Returns how many are inside. It is off by those at most that enter and leave
    /// meanwhile, and never below 0.
    pub(crate) fn load(&self) -> u64 {
        let finished = self.finished.load().whole;
        // Acquire: pairs with the Release in `leave`. In this order, all that are seen
        // to have finished are seen to have started.
        fence(Ordering::Acquire);
        self.started.load().whole.wrapping_sub(finished)
    }

    /// Makes a cell whose counters have lanes already.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn sharded() -> Self {
        Self {
            started: CounterCell::sharded(),
            finished: CounterCell::sharded(),
        }
    }
}
