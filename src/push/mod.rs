//! Pushes a registry to a monitoring system that does not scrape it.
//!
//! - `Otlp` (feature `otlp`) sends a registry over OTLP, to an OpenTelemetry Collector or another
//!   receiver.
//! - `Pushgateway` (feature `pushgateway`) pushes a registry to a Prometheus Pushgateway at the end of
//!   a job.
//!
//! A registry can be pushed and scraped at the same time. The guide [Replicas, OTLP and
//! rollouts](crate::guides::fleet) compares these methods.
//!
//! # Metrics about exports
//!
//! An exporter of OTLP counts its exports in the registry that it sends:
//!
//! | metric | labels | meaning |
//! | --- | --- | --- |
//! | `tachometer_otlp_exports_total` | `result` | `success`: all points were accepted. `partial`: some points were rejected. `rejected`: the receiver rejected a request. `failed`: a request was not accepted in time |
//! | `tachometer_otlp_rejected_points_total` | - | points that were rejected in requests that were accepted |
//! | `tachometer_otlp_last_success_timestamp_seconds` | - | time of the last export whose requests were all accepted, in seconds since 1970, or 0 |

mod client_settings;
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
