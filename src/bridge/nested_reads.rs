//! Registries that read each other on one thread.
//!
//! A registry of this crate and one of the `prometheus` crate can have a collector of each other.
//! Each collector marks the thread while it reads. Without these marks a read would not end, or
//! contain metrics twice.

use std::cell::Cell;
use std::thread::LocalKey;

thread_local! {
    /// The number of `RegistryCollector::collect` calls on the stack of this thread.
    static FOR_PROMETHEUS: Cell<usize> = const { Cell::new(0) };
    /// The number of `PrometheusCollector::collect` calls on the stack of this thread.
    static OF_PROMETHEUS: Cell<usize> = const { Cell::new(0) };
}

/// A mark of the current thread, until it is dropped.
pub(super) struct ReadMark(&'static LocalKey<Cell<usize>>);

impl ReadMark {
    /// Marks that a registry of this crate is read for one of the `prometheus` crate.
    pub(super) fn for_prometheus() -> Self {
        Self::new(&FOR_PROMETHEUS)
    }

    /// Marks that a registry of the `prometheus` crate is read for one of this crate.
    pub(super) fn of_prometheus() -> Self {
        Self::new(&OF_PROMETHEUS)
    }

    fn new(depth: &'static LocalKey<Cell<usize>>) -> Self {
        depth.set(depth.get() + 1);
        Self(depth)
    }
}

impl Drop for ReadMark {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Returns true if this thread reads a registry of this crate for one of the `prometheus` crate.
pub(super) fn is_read_for_prometheus() -> bool {
    FOR_PROMETHEUS.get() > 0
}

/// Returns true if this thread reads a registry of the `prometheus` crate for one of this crate.
pub(super) fn is_read_of_prometheus() -> bool {
    OF_PROMETHEUS.get() > 0
}
