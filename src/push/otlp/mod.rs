//! Export over OTLP: `http/protobuf`, without the OpenTelemetry SDK.
//!
//! - [`builder`] and [`env`] have the settings.
//! - [`exporter`] is the handle that users have. It sends [`commands`] to the [`exporter_task`].
//! - [`export`] makes one export: it takes one body after the other from [`requests`], and sends it
//!   until it is accepted, rejected, or the time is over ([`retry`], [`export_limits`]). [`delta`] has
//!   the values of the last export that was accepted.
//! - [`failure`] has the texts of errors and warnings.

mod builder;
mod commands;
mod delta;
mod env;
mod export;
mod export_limits;
mod export_metrics;
mod exporter;
mod exporter_task;
mod failure;
mod partial_success;
mod random;
mod requests;
mod resource;
mod retry;
mod runtime;

use std::time::Duration;

pub use builder::Otlp;
pub use exporter::OtlpExporter;

/// The longest duration that is added to the current time. A clock may end after centuries.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How requests are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// They are not compressed.
    #[default]
    None,
    /// By gzip.
    Gzip,
}
