//! The primitives that the cells are built from: the standard library's, or
//! loom's where a model checks every order in which threads may run.

#[cfg(tachometer_loom)]
pub(crate) use loom::sync::Mutex;
#[cfg(tachometer_loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::Mutex;
#[cfg(not(tachometer_loom))]
pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
