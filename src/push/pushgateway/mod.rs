//! Pushes to a Pushgateway, in Prometheus's text format.
//!
//! - [`builder`] has the settings, and [`client`] sends the requests.
//! - [`group`] makes the URL of a group, and [`exposition`] the body of a request.
//! - [`refusal`] has the texts of errors.

mod builder;
mod client;
mod exposition;
mod group;
mod refusal;

pub use builder::Pushgateway;
pub use client::PushgatewayClient;
