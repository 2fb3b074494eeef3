//! Bridges to other metric libraries.
//!
//! - `metrics_facade`: `MetricsRecorder`, a recorder of the `metrics` facade.
//! - `one_scrape`: metrics of all libraries in one scrape.
//! - `prometheus`: registries of the `prometheus` crate, in both directions.

#[cfg(feature = "metrics")]
mod metrics_facade;
#[cfg(all(feature = "metrics", feature = "prometheus"))]
mod one_scrape;
#[cfg(feature = "prometheus")]
mod prometheus;
