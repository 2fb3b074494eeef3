//! The cell of a gauge that says how many are inside: each enters once, and leaves.
//!
//! It counts both, so that it has what counters have: each thread writes to a lane of
//! its own, and whoever enters on one thread may leave on another.

use crate::cell::counter::CounterCell;
use crate::cell::sync::{Ordering, fence};

/// How many have entered and not left.
#[derive(Debug, Default)]
pub(crate) struct InFlightCell {
    entered: CounterCell,
    left: CounterCell,
}

impl InFlightCell {
    #[inline]
    pub(crate) fn enter(&self) {
        self.entered.add(1);
    }

    /// Counts one that has entered before, be it on another thread.
    #[inline]
    pub(crate) fn leave(&self) {
        // Release: whoever sees that it left must see that it entered.
        fence(Ordering::Release);
        self.left.add(1);
    }

    /// Counts one that has entered here as inside another cell. A reader that reads
    /// this cell first finds it in one of them, or in both.
    #[inline]
    pub(crate) fn move_to(&self, other: &Self) {
        other.enter();
        self.leave();
    }

    /// Returns how many are inside. It is off by those at most that enter and leave
    /// meanwhile, and never below 0.
    pub(crate) fn load(&self) -> u64 {
        let left = self.left.load().whole;
        // Acquire: pairs with the Release in `leave`. In this order, all that are seen
        // to have left are seen to have entered.
        fence(Ordering::Acquire);
        self.entered.load().whole.wrapping_sub(left)
    }

    /// Makes a cell whose counters have lanes already.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn hot() -> Self {
        Self {
            entered: CounterCell::hot(),
            left: CounterCell::hot(),
        }
    }
}
