//! The promises of the crate, tested through its public API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bridge;
mod dashboards;
mod fleet;
mod formats;
mod http;
mod meta;
#[cfg(feature = "otlp")]
mod otlp;
mod privacy;
#[cfg(feature = "otlp")]
mod push;
#[cfg(feature = "pushgateway")]
mod pushgateway;
mod registry;
mod router;
mod support;
