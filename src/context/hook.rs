//! Code of the user's that a layer calls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A closure of the user's, shared by the layer's clones.
pub(crate) struct Hook<F: ?Sized>(Arc<F>);

impl<F: ?Sized> Hook<F> {
    pub(crate) fn new(closure: Arc<F>) -> Self {
        Self(closure)
    }

    /// Lets `run` call the closure, and returns nothing if it panics: a request must
    /// not fail for it.
    pub(crate) fn call<T>(&self, run: impl FnOnce(&F) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| run(&self.0))).ok()
    }
}

impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a closure")
    }
}
