//! Pushes a registry to a monitoring system that does not scrape it.

mod endpoint;
mod header;
mod http_client;
mod http_error;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "pushgateway")]
mod pushgateway;

#[cfg(feature = "otlp")]
pub use crate::encode::Temporality;
#[cfg(feature = "otlp")]
pub use otlp::{Compression, Otlp, OtlpExporter};
#[cfg(feature = "pushgateway")]
pub use pushgateway::{Pushgateway, PushgatewayClient};
