//! The hasher of label values: fast, and seeded because an attacker may choose the values.

#[cfg(not(tachometer_loom))]
pub(crate) use foldhash::fast::RandomState as Hasher;

/// Unseeded: a model must run the same way each time.
#[cfg(tachometer_loom)]
pub(crate) use foldhash::fast::FixedState as Hasher;
