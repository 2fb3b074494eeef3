//! The separate listener for metrics.
//!
//! It uses hyper directly: `axum::serve` limits neither connections nor the times of requests and
//! responses.

mod accept_loop;
mod allowed_hosts;
mod connection;
mod connection_slots;
mod flush_tracker;
mod limits;
mod metrics_server;
mod rejections;
mod router_settings;
mod standalone_routes;
#[cfg(test)]
mod tests;

pub(super) use limits::ListenerSettings;
pub use metrics_server::MetricsServer;
