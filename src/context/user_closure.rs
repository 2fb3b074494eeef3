//! Closures of the user that a layer calls.

use std::any::Any;
use std::fmt;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A closure of the user, shared by the clones of a layer.
pub(crate) struct UserClosure<F: ?Sized> {
    /// The setting that the closure was passed to.
    setting: &'static str,
    closure: Arc<F>,
    /// Set when the layer registers its metrics.
    on_panic: Option<OnPanic>,
}

/// Called with the name of the setting, after its closure has panicked.
pub(crate) type OnPanic = Arc<dyn Fn(&'static str) + Send + Sync>;

impl<F: ?Sized> UserClosure<F> {
    pub(crate) fn new(setting: &'static str, closure: Arc<F>) -> Self {
        Self {
            setting,
            closure,
            on_panic: None,
        }
    }

    /// Sets what is called after a panic.
    pub(crate) fn set_on_panic(&mut self, on_panic: &OnPanic) {
        self.on_panic = Some(Arc::clone(on_panic));
    }

    /// Lends the closure to `run`, which calls it. Returns `None` if it panics: a request
    /// must not fail because of it.
    pub(crate) fn call<T>(&self, run: impl FnOnce(&F) -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| run(&self.closure))) {
            Ok(returned) => Some(returned),
            Err(payload) => {
                self.report(payload);
                None
            }
        }
    }

    /// Reports a panic. It does not panic itself, as the closure may be called in a drop: neither
    /// if the payload panics when it is dropped, nor if a subscriber of the warning does.
    #[cold]
    fn report(&self, payload: Box<dyn Any + Send>) {
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        let reported = catch_unwind(AssertUnwindSafe(|| {
            if let Some(on_panic) = &self.on_panic {
                on_panic(self.setting);
            }
        }));
        forget((dropped, reported));
    }
}

impl<F: ?Sized> Clone for UserClosure<F> {
    fn clone(&self) -> Self {
        Self {
            setting: self.setting,
            closure: Arc::clone(&self.closure),
            on_panic: self.on_panic.clone(),
        }
    }
}

impl<F: ?Sized> fmt::Debug for UserClosure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure")
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    #[test]
    fn a_panic_is_reported_and_no_further_one_gets_out() {
        let reports = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&reports);
        let on_panic: OnPanic = Arc::new(move |setting| {
            assert_eq!(setting, "skip");
            count.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        });
        let mut closure = UserClosure::new("skip", Arc::new(|| panic_any(Bomb)));
        assert!(closure.call(|closure| closure()).is_none());
        closure.set_on_panic(&on_panic);
        for _ in 0..2 {
            assert!(closure.clone().call(|closure| closure()).is_none());
        }
        assert_eq!(reports.load(Ordering::Relaxed), 2);
    }
}
