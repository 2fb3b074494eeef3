//! Bridges to other metric libraries.
//!
//! - `prometheus`: registries of the `prometheus` crate, in both directions.

#[cfg(feature = "prometheus")]
mod prometheus;
