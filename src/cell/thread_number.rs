//! Small numbers for threads, so that each can have a cell of its own.
//!
//! A thread leases the smallest free number at its first slow record and gives
//! it back when it ends. The next thread that leases it takes over the cells of
//! that number, and counts on from what it finds there; the pool's lock orders
//! the one's last store before the other's first load.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::cell::sync::Mutex;

/// The number of a thread that has not leased one yet.
const UNKNOWN: usize = usize::MAX - 1;
/// The number of a thread that is being torn down, and has given its own back.
#[cfg(not(tachometer_loom))]
const NONE: usize = usize::MAX;

thread_local! {
    // Without a destructor, so that reading it costs no check and works until
    // the very end of the thread.
    static MINE: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// Returns the calling thread's number, or one too large for any cell where it
/// has none.
#[inline]
pub(crate) fn current() -> usize {
    MINE.with(Cell::get)
}

/// Leases a number for the calling thread, unless it has one or is ending.
#[cfg(not(tachometer_loom))]
pub(crate) fn lease() {
    static POOL: Pool = Pool::new();

    /// Gives the number back when the thread ends.
    struct Lease(usize);

    impl Drop for Lease {
        fn drop(&mut self) {
            MINE.set(NONE);
            POOL.give_back(self.0);
        }
    }

    thread_local! {
        static LEASE: Lease = Lease(POOL.take());
    }

    if current() == UNKNOWN {
        // Where the thread is ending, its destructors have begun, and it stays
        // without a number.
        let _ = LEASE.try_with(|lease| MINE.set(lease.0));
    }
}

/// In a model, threads are given their numbers by hand.
#[cfg(tachometer_loom)]
pub(crate) fn lease() {}

/// Takes a number by hand, in a model.
#[cfg(all(test, tachometer_loom))]
pub(crate) fn assume(number: usize) {
    MINE.set(number);
}

/// The numbers that no running thread has.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<Numbers>);

#[derive(Debug)]
struct Numbers {
    given_back: BTreeSet<usize>,
    /// All numbers from this one on are free.
    fresh: usize,
}

impl Numbers {
    const ALL: Self = Self {
        given_back: BTreeSet::new(),
        fresh: 0,
    };
}

impl Pool {
    #[cfg(not(tachometer_loom))]
    const fn new() -> Self {
        Self(Mutex::new(Numbers::ALL))
    }

    /// The lock of a model cannot be made ahead of it.
    #[cfg(tachometer_loom)]
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Numbers::ALL))
    }

    /// Takes the smallest free number.
    pub(crate) fn take(&self) -> usize {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.given_back.pop_first().unwrap_or_else(|| {
            numbers.fresh += 1;
            numbers.fresh - 1
        })
    }

    pub(crate) fn give_back(&self, number: usize) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.given_back.insert(number);
    }
}
