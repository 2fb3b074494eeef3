//! The roles of metrics, the Grafana board and the Prometheus rules.
//!
//! - `roles`: the role of each metric, under every preset, and the fixed order of its labels.
//! - `rules`: the Prometheus rules: their content, and when they alert.

#[cfg(feature = "dashboard")]
pub(crate) mod grafana;
mod roles;
#[cfg(feature = "dashboard")]
mod rules;
