//! Which registries a thread reads.

use std::cell::RefCell;

#[cfg(feature = "prometheus")]
use crate::registry::Registry;

thread_local! {
    /// The addresses of the registries whose collectors this thread is running.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "prometheus")]
thread_local! {
    /// The addresses of the registries that this thread reads through one handle while it runs a
    /// collector of one of them.
    static READING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// While it exists, the current thread is running a collector.
pub(super) struct RunGuard;

impl RunGuard {
    /// Returns `None` if this thread is running a collector of the registry already: that
    /// collector reads its own registry, and would call itself without end.
    pub(super) fn enter(registry_address: usize) -> Option<Self> {
        let enter = |running: &RefCell<Vec<usize>>| {
            let mut running = running.borrow_mut();
            let is_new = !running.contains(&registry_address);
            is_new.then(|| running.push(registry_address))
        };
        // While a thread is being destroyed it has no list any more, and runs no collector.
        RUNNING.try_with(enter).ok().flatten().map(|()| Self)
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
    }
}

/// While it exists, the current thread is running the collectors of the registries of a handle.
#[cfg(feature = "prometheus")]
pub(super) struct ReadGuard {
    /// How many addresses were in the list before.
    previous: usize,
}

#[cfg(feature = "prometheus")]
impl ReadGuard {
    pub(super) fn enter(registry: &Registry) -> Self {
        let enter = |reading: &RefCell<Vec<usize>>| {
            let mut reading = reading.borrow_mut();
            let previous = reading.len();
            reading.extend(registry.addresses());
            previous
        };
        let previous = READING.try_with(enter).unwrap_or(0);
        Self { previous }
    }
}

#[cfg(feature = "prometheus")]
impl Drop for ReadGuard {
    fn drop(&mut self) {
        let _ = READING.try_with(|reading| reading.borrow_mut().truncate(self.previous));
    }
}

#[cfg(feature = "prometheus")]
impl Registry {
    /// Returns a handle to those of its registries that this thread does not read already; `None` if
    /// there are none.
    pub(crate) fn without_those_being_read(&self) -> Option<Self> {
        let contains = |address: usize| {
            let contains = |list: &RefCell<Vec<usize>>| list.borrow().contains(&address);
            let mut lists = [&RUNNING, &READING].into_iter();
            lists.any(|list| list.try_with(contains).unwrap_or(false))
        };
        self.filter_registries(|address| !contains(address))
    }
}
