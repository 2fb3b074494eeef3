//! A Grafana board, Prometheus rules and the live page, generated for the metrics that a
//! registry has.
//!
//! The guide [Dashboards and alerts](crate::guides::dashboards) explains them by task.
//!
//! Metrics are found by their [role](crate::snapshot::Role), so presets, prefixes and custom
//! labels are supported. The router serves all three. To generate the board and the rules in
//! Rust:
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
//! If two layers record into one registry under different names, the board and the rules use
//! the metrics whose names come first in alphabetical order.

mod grafana;
pub(crate) mod page;
mod promql;
mod roles;
mod rules;
mod view;

pub use grafana::GrafanaBoard;
pub use rules::AlertRules;
pub(crate) use view::View;

/// The outcomes of requests that failed because of the service, as a Prometheus regular
/// expression.
const ERRORS: &str = "server_error|service_error|panic|body_error";
/// The outcomes of LLM calls that failed, as a Prometheus regular expression.
const LLM_ERRORS: &str = "error|truncated";
