//! The shard of a thread.
//!
//! A thread leases the smallest free number when it first writes a slot, and returns it when it
//! ends. The number selects its shard. The next thread that leases the number takes over the
//! shard and continues its counts. The lock of the numbers orders the last store of the one
//! thread before the first load of the other.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;

use crate::cell::shards::{EXCLUSIVE, SHARED};
use crate::cell::sync::{Mutex, thread_local};

/// Which shard a thread writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ShardIndex(usize);

impl ShardIndex {
    /// The thread has not leased a number yet.
    const UNLEASED: Self = Self(usize::MAX - 1);
    /// The thread is ending and has returned its number.
    #[cfg(not(tachometer_loom))]
    const RETURNED: Self = Self(usize::MAX);

    /// Returns the calling thread's shard. If it has none, the index is larger than that of any
    /// shard.
    #[inline]
    pub(crate) fn current() -> Self {
        CURRENT.with(Cell::get)
    }

    /// Returns the shard of the thread with this number.
    fn for_thread(number: usize) -> Self {
        Self(if number < EXCLUSIVE {
            number
        } else {
            EXCLUSIVE + number % SHARED
        })
    }

    #[inline]
    pub(super) fn get(self) -> usize {
        self.0
    }

    /// Returns true if no other thread writes the shard.
    #[inline]
    pub(super) fn is_exclusive(self) -> bool {
        self.0 < EXCLUSIVE
    }
}

thread_local! {
    // Has no destructor, so that a read needs no check and works until the end of the thread.
    static CURRENT: Cell<ShardIndex> = const { Cell::new(ShardIndex::UNLEASED) };
}

/// Leases a number for the calling thread, unless it has one or is ending.
#[cfg(not(tachometer_loom))]
pub(crate) fn lease() {
    static NUMBERS: Numbers = Numbers::new();

    /// Returns the number when the thread ends.
    struct Lease(usize);

    impl Drop for Lease {
        fn drop(&mut self) {
            CURRENT.set(ShardIndex::RETURNED);
            NUMBERS.release(self.0);
        }
    }

    thread_local! {
        static LEASE: Lease = Lease(NUMBERS.acquire());
    }

    if ShardIndex::current() == ShardIndex::UNLEASED {
        // Fails if the thread is ending: its destructors run, and it stays without a shard.
        let _ = LEASE.try_with(|lease| CURRENT.set(ShardIndex::for_thread(lease.0)));
    }
}

/// Does nothing: models set the shards of their threads.
#[cfg(tachometer_loom)]
pub(crate) fn lease() {}

/// Gives the calling thread of a model the shard for this number.
#[cfg(all(test, tachometer_loom))]
pub(crate) fn set_current(number: usize) {
    CURRENT.with(|current| current.set(ShardIndex::for_thread(number)));
}

/// The numbers that no thread has leased.
#[derive(Debug)]
pub(crate) struct Numbers(Mutex<FreeNumbers>);

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

impl Numbers {
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
