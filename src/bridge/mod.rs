//! Bridges to other metric libraries: their metrics in a registry, and the metrics of a registry
//! in theirs.
//!
//! - `MetricsRecorder` (feature `metrics`): a recorder of the `metrics` facade.
//! - `PrometheusCollector` (feature `prometheus`): the metrics of a `prometheus::Registry` in a
//!   [`Registry`](crate::Registry).
//! - `RegistryCollector` (feature `prometheus`): the metrics of a [`Registry`](crate::Registry) in a
//!   `prometheus::Registry`.
//!
//! The guide [Metrics of other libraries](crate::guides::bridges) has examples and limits of each.

#[cfg(any(feature = "prometheus", all(feature = "metrics", not(tachometer_loom))))]
mod exported_label_names;
#[cfg(all(feature = "metrics", not(tachometer_loom)))]
mod metrics_recorder;
#[cfg(feature = "prometheus")]
mod nested_reads;
#[cfg(feature = "prometheus")]
mod prometheus_collector;
#[cfg(feature = "prometheus")]
mod prometheus_families;
#[cfg(feature = "prometheus")]
mod registry_collector;

#[cfg(all(feature = "metrics", not(tachometer_loom)))]
pub use metrics_recorder::MetricsRecorder;
#[cfg(feature = "prometheus")]
pub use prometheus_collector::PrometheusCollector;
#[cfg(feature = "prometheus")]
pub use registry_collector::RegistryCollector;
