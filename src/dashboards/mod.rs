//! What people look at: a board for Grafana and rules for Prometheus, made for the metrics
//! that a registry really has, and what the page shows.
//!
//! Metrics are found by their [role](crate::snapshot::Role), so that a preset, a prefix or
//! a label of one's own is followed. The router serves all of it; in Rust:
//!
//! ```
//! use tachometer::dashboards::{AlertRules, GrafanaBoard};
//! use tachometer::{MetricsLayer, Registry};
//!
//! let registry = Registry::new();
//! let layer = MetricsLayer::new().registry(&registry).try_register()?;
//!
//! let board = GrafanaBoard::new().title("Shop").to_json(&registry);
//! assert!(board.contains("http_requests_total"));
//!
//! let rules = AlertRules::new().availability(0.995)?.to_yaml(&registry);
//! assert!(rules.contains("alert: HttpErrorBudgetBurn"));
//! # drop(layer); // the application has it
//! # Ok::<(), tachometer::Error>(())
//! ```
//!
//! Where two layers count into one registry under different names, the board and the rules
//! are about the first by name.

mod grafana;
pub(crate) mod page;
mod promql;
mod roles;
mod rules;
mod view;

pub use grafana::GrafanaBoard;
pub use rules::AlertRules;
pub(crate) use view::View;

/// The outcomes of requests that are the service's own fault, as a regular expression of
/// Prometheus's.
const ERRORS: &str = "server_error|service_error|panic|body_error";
/// Those of calls of an LLM.
const LLM_ERRORS: &str = "error|truncated";
