//! Bridges to other metric libraries.
//!
//! - `metrics_facade`: `MetricsRecorder`, a recorder of the `metrics` facade.
//! - `prometheus`: registries of the `prometheus` crate, in both directions.

#[cfg(feature = "metrics")]
mod metrics_facade;
#[cfg(feature = "prometheus")]
mod prometheus;
