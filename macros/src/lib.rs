//! The attribute macros of the crate `tachometer`, which re-exports them.
//!
//! Do not depend on this crate directly: a procedural macro needs a crate of
//! its own, and that is the only reason why it exists. It exports nothing yet.
