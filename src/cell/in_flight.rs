//! The cell of an in-flight gauge: started minus finished, two counters.
//!
//! An operation may start on one thread and finish on another.

use crate::cell::counter::CounterCell;
use crate::cell::sync::{Ordering, fence};

/// The number of operations that have started and not finished.
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

    /// Counts the end of an operation that was started, on this or another thread.
    #[inline]
    pub(crate) fn finish(&self) {
        // Release: a thread that sees the finish must see the start.
        fence(Ordering::Release);
        self.finished.add(1);
    }

    /// Moves an operation that was started in this cell to another cell. A reader that reads
    /// this cell first sees the operation in one of the cells or in both.
    #[inline]
    pub(crate) fn move_to(&self, other: &Self) {
        other.start();
        self.finish();
    }

    /// Returns how many operations are in flight. The result is never below 0, and is off by
    /// at most the operations that start or finish meanwhile.
    pub(crate) fn load(&self) -> u64 {
        let finished = self.finished.load().whole;
        // Acquire: pairs with the Release in `finish`. `started` is loaded last, so the start of
        // every operation that was seen to finish is seen too.
        fence(Ordering::Acquire);
        self.started.load().whole.wrapping_sub(finished)
    }

    /// Creates a cell whose counters have slots.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn with_slots() -> Self {
        Self {
            started: CounterCell::with_slot(),
            finished: CounterCell::with_slot(),
        }
    }
}
