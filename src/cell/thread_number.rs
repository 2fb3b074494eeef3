//! Small numbers for threads, which select a thread's shard.
//!
//! A thread leases the smallest free number at its first slow record and returns it when it
//! ends. The next thread that leases the number takes over its shards and continues their
//! counts. The pool's lock orders the last store of the one thread before the first load of the
//! other.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;

use crate::cell::sync::Mutex;

/// The number of a thread that has not leased one.
const UNLEASED: usize = usize::MAX - 1;
/// The number of a thread that is ending and has returned its number.
#[cfg(not(tachometer_loom))]
const RETURNED: usize = usize::MAX;

thread_local! {
    // Has no destructor, so that a read needs no check and works until the end of the thread.
    static CURRENT: Cell<usize> = const { Cell::new(UNLEASED) };
}

/// Returns the calling thread's number. If it has none, the result is larger than the index of
/// any shard.
#[inline]
pub(crate) fn current() -> usize {
    CURRENT.with(Cell::get)
}

/// Leases a number for the calling thread, unless it has one or is ending.
#[cfg(not(tachometer_loom))]
pub(crate) fn lease() {
    static POOL: Pool = Pool::new();

    /// Returns the number to the pool when the thread ends.
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
        // Fails if the thread is ending: its destructors run, and it stays without a number.
        let _ = LEASE.try_with(|lease| CURRENT.set(lease.0));
    }
}

/// Does nothing: models set the numbers of their threads.
#[cfg(tachometer_loom)]
pub(crate) fn lease() {}

/// Sets the number of the calling thread in a model.
#[cfg(all(test, tachometer_loom))]
pub(crate) fn set_current(number: usize) {
    CURRENT.set(number);
}

/// The numbers that no thread has leased.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<FreeNumbers>);

#[derive(Debug)]
struct FreeNumbers {
    /// The smallest first.
    returned: BinaryHeap<Reverse<usize>>,
    /// All numbers from this one on are free.
    next: usize,
}

impl FreeNumbers {
    const ALL: Self = Self {
        returned: BinaryHeap::new(),
        next: 0,
    };
}

impl Pool {
    #[cfg(not(tachometer_loom))]
    const fn new() -> Self {
        Self(Mutex::new(FreeNumbers::ALL))
    }

    /// Not const: a model creates its locks while it runs.
    #[cfg(tachometer_loom)]
    pub(crate) fn new() -> Self {
        Self(Mutex::new(FreeNumbers::ALL))
    }

    /// Leases the smallest free number.
    pub(crate) fn acquire(&self) -> usize {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match numbers.returned.pop() {
            Some(Reverse(number)) => number,
            None => {
                numbers.next += 1;
                numbers.next - 1
            }
        }
    }

    pub(crate) fn release(&self, number: usize) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.returned.push(Reverse(number));
    }
}
