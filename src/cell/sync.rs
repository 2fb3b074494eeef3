//! The primitives that the cells are built from: the standard library's, or
//! loom's where a model checks every order in which threads may run.

#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::{Mutex, OnceLock};

#[cfg(tachometer_loom)]
pub(crate) use loom::sync::Mutex;
#[cfg(tachometer_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(tachometer_loom)]
pub(crate) use once::OnceLock;

/// What loom lacks: a cell that is written once, with the orderings that the
/// standard library promises.
#[cfg(tachometer_loom)]
mod once {
    use super::{AtomicUsize, Mutex, Ordering};

    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        set: AtomicUsize,
        setting: Mutex<()>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self {
                value: std::sync::OnceLock::new(),
                set: AtomicUsize::new(0),
                setting: Mutex::new(()),
            }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            match self.set.load(Ordering::Acquire) {
                0 => None,
                _ => self.value.get(),
            }
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            // Only a model that failed already leaves it poisoned.
            let setting = self.setting.lock().unwrap();
            // Another thread cannot be inside: it would hold the lock.
            let value = self.value.get_or_init(make);
            self.set.store(1, Ordering::Release);
            drop(setting);
            value
        }
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self::new()
        }
    }
}
