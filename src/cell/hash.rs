//! The hash of label values: quick, and seeded, since an attacker may choose them.

#[cfg(not(tachometer_loom))]
pub(crate) use foldhash::fast::RandomState as Hasher;

/// A model has to run the same way each time.
#[cfg(tachometer_loom)]
pub(crate) use foldhash::fast::FixedState as Hasher;
