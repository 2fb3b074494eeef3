//! Detects a panic in the wrapped service.

/// A flag that is set while code of a wrapped service runs, and stays set if it panics.
///
/// The guard of a request or call holds the flag and reads it in `drop`.
/// `std::thread::panicking` is no substitute: a panic of the service may have been caught
/// before the guard is dropped, and an unrelated panic may drop the guard of a request that
/// was fine.
#[derive(Debug, Default)]
pub(crate) struct PanicFlag(bool);

impl PanicFlag {
    /// Runs code of the wrapped service.
    #[inline]
    pub(crate) fn run<T>(&mut self, service: impl FnOnce() -> T) -> T {
        self.enter();
        let returned = service();
        self.exit();
        returned
    }

    /// Code of the wrapped service starts.
    #[inline]
    pub(crate) fn enter(&mut self) {
        self.0 = true;
    }

    /// Code of the wrapped service has returned.
    #[inline]
    pub(crate) fn exit(&mut self) {
        self.0 = false;
    }

    /// Returns true if code of the wrapped service has started and not returned.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn the_flag_stays_set_after_a_panic_alone() {
        let mut flag = PanicFlag::default();
        assert_eq!(flag.run(|| 5), 5);
        assert!(!flag.is_set());
        let run = AssertUnwindSafe(|| flag.run(|| panic!("on purpose")));
        assert!(catch_unwind(run).is_err());
        assert!(flag.is_set());
    }
}
