//! Metrics of other libraries in a registry, and metrics of a registry for other libraries.

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
