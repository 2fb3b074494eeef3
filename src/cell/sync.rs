//! The primitives that cells are built from: the standard library's, or loom's in models,
//! which check every order in which threads can run.

/// The standard library's `thread_local!` with loom's implementation, in which each thread of a
/// model has its own value.
#[cfg(tachometer_loom)]
macro_rules! loom_thread_local {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const { $init:expr };) => {
        loom::thread_local! { $(#[$attribute])* static $name: $type = $init; }
    };
}

#[cfg(not(tachometer_loom))]
pub(crate) use arc_swap::ArcSwap;
#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
#[cfg(not(tachometer_loom))]
pub(crate) use std::thread_local;

#[cfg(tachometer_loom)]
pub(crate) use arc_mutex::{ArcSwap, Weak};
#[cfg(tachometer_loom)]
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(tachometer_loom)]
pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(tachometer_loom)]
pub(crate) use loom_thread_local as thread_local;
#[cfg(tachometer_loom)]
pub(crate) use once::OnceLock;

/// A `OnceLock`, which loom lacks, with the orderings that the standard library guarantees.
#[cfg(tachometer_loom)]
mod once {
    use super::{AtomicUsize, Mutex, Ordering};

    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        is_set: AtomicUsize,
        setting: Mutex<()>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self {
                value: std::sync::OnceLock::new(),
                is_set: AtomicUsize::new(0),
                setting: Mutex::new(()),
            }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            match self.is_set.load(Ordering::Acquire) {
                0 => None,
                _ => self.value.get(),
            }
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            // Poisoned only if the model has failed already.
            let setting = self.setting.lock().unwrap();
            // No other thread is initializing: it would hold the lock.
            let value = self.value.get_or_init(make);
            self.is_set.store(1, Ordering::Release);
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

/// An `ArcSwap`, which cannot run in loom, as a mutex, and a `Weak`, which loom lacks.
#[cfg(tachometer_loom)]
mod arc_mutex {
    use std::marker::PhantomData;

    use super::{Arc, Mutex};

    #[derive(Debug)]
    pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.load_full()
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            // Poisoned only if the model has failed already.
            Arc::clone(&self.0.lock().unwrap())
        }

        pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
            std::mem::replace(&mut self.0.lock().unwrap(), value)
        }
    }

    /// A pointer that is never upgraded.
    #[derive(Debug)]
    pub(crate) struct Weak<T>(PhantomData<T>);

    impl<T> Weak<T> {
        pub(crate) fn new(_: &Arc<T>) -> Self {
            Self(PhantomData)
        }

        pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
            None
        }

        pub(crate) fn strong_count(&self) -> usize {
            0
        }
    }
}
