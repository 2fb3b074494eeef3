//! Metrics of other libraries in a registry, and metrics of a registry for other libraries.

#[cfg(feature = "prometheus")]
mod prometheus_families;
#[cfg(feature = "prometheus")]
mod registry_collector;

#[cfg(feature = "prometheus")]
pub use registry_collector::RegistryCollector;
