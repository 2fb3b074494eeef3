//! The roles of metrics, the Grafana board and the Prometheus rules.

#[cfg(feature = "dashboard")]
pub(crate) mod grafana;
mod roles;
#[cfg(feature = "dashboard")]
mod rules;
