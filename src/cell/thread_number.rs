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
const UNLEASED: usize = usize::MAX - 1;
/// The number of a thread that is being torn down, and has given its own back.
#[cfg(not(tachometer_loom))]
const RETURNED: usize = usize::MAX;

thread_local! {
    // Without a destructor, so that reading it costs no check and works until
    // the very end of the thread.
    static CURRENT: Cell<usize> = const { Cell::new(UNLEASED) };
}

/// Returns the calling thread's number, or one too large for any cell where it
/// has none.
#[inline]
pub(crate) fn current() -> usize {
    CURRENT.with(Cell::get)
}

/// Leases a number for the calling thread, unless it has one or is ending.
#[cfg(not(tachometer_loom))]
pub(crate) fn lease() {
    static POOL: Pool = Pool::new();

    /// Gives the number back when the thread ends.
    struct Lease(usize);

    impl Drop for Lease {
        fn drop(&mut self) {
            CURRENT.set(RETURNED);
            POOL.release(self.0);
        }
    }

    thread_local! {
        static LEASE: Lease = Lease(POOL.acquire());
    }

    if current() == UNLEASED {
        // Where the thread is ending, its destructors have begun, and it stays
        // without a number.
        let _ = LEASE.try_with(|lease| CURRENT.set(lease.0));
    }
}

/// In a model, threads are given their numbers by hand.
#[cfg(tachometer_loom)]
pub(crate) fn lease() {}

/// Takes a number by hand, in a model.
#[cfg(all(test, tachometer_loom))]
pub(crate) fn set_current(number: usize) {
    CURRENT.set(number);
}

/// The numbers that no running thread has.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<FreeNumbers>);

#[derive(Debug)]
struct FreeNumbers {
    returned: BTreeSet<usize>,
    /// All numbers from this one on are free.
    next: usize,
}

impl FreeNumbers {
    const ALL: Self = Self {
        returned: BTreeSet::new(),
        next: 0,
    };
}

impl Pool {
    #[cfg(not(tachometer_loom))]
    const fn new() -> Self {
        Self(Mutex::new(FreeNumbers::ALL))
    }

    /// The lock of a model cannot be made ahead of it.
    #[cfg(tachometer_loom)]
    pub(crate) fn new() -> Self {
        Self(Mutex::new(FreeNumbers::ALL))
    }

    /// Takes the smallest free number.
    pub(crate) fn acquire(&self) -> usize {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.returned.pop_first().unwrap_or_else(|| {
            numbers.next += 1;
            numbers.next - 1
        })
    }

    pub(crate) fn release(&self, number: usize) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.returned.insert(number);
    }
}
