//! Metrics of other libraries in a registry, and metrics of a registry for other libraries.

#[cfg(feature = "prometheus")]
mod nested_reads;
#[cfg(feature = "prometheus")]
mod prometheus_collector;
#[cfg(feature = "prometheus")]
mod prometheus_families;
#[cfg(feature = "prometheus")]
mod registry_collector;

#[cfg(feature = "prometheus")]
pub use prometheus_collector::PrometheusCollector;
#[cfg(feature = "prometheus")]
pub use registry_collector::RegistryCollector;
