//! Exports over OTLP.
//!
//! - `receiver`: a receiver in memory with prepared answers; `decode`: what it received.
//! - `connections`: receivers on loopback that reset connections, redirect or answer too much.
//! - `export_metrics`: metrics about exports.
//! - `flush_and_shutdown`: flushes and shutdowns, on runtimes of both kinds.
//! - `logs`: warnings, and that no header is printed.
//! - `requests`: what requests contain: headers, resource, compression, numbers of points.
//! - `retries`: which requests are sent again, and when.
//! - `settings`: settings that are not valid, and runtimes that are not suitable.
//! - `sums`: sums at the receiver after failures, by temporality.

mod connections;
mod decode;
mod export_metrics;
mod flush_and_shutdown;
mod logs;
mod receiver;
mod requests;
mod retries;
mod settings;
mod sums;
