//! Closures of the user that a layer calls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A closure of the user, shared by the clones of a layer.
pub(crate) struct UserClosure<F: ?Sized>(Arc<F>);

impl<F: ?Sized> UserClosure<F> {
    pub(crate) fn new(closure: Arc<F>) -> Self {
        Self(closure)
    }

    /// Lends the closure to `run`, which calls it. Returns `None` if it panics: a request
    /// must not fail because of it.
    pub(crate) fn call<T>(&self, run: impl FnOnce(&F) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| run(&self.0))).ok()
    }
}

impl<F: ?Sized> Clone for UserClosure<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: ?Sized> fmt::Debug for UserClosure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure")
    }
}
