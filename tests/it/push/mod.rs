//! Exports over OTLP.
//!
//! - `receiver`: a receiver in memory with prepared answers; `decode`: what it received.
//! - `collected_metrics`: metrics that another crate has recorded.
//! - `connections`: receivers on loopback that reset connections, redirect or answer too much.
//! - `deadlines`: when a shutdown ends, and what happens to other calls meanwhile.
//! - `export_metrics`: metrics about exports.
//! - `flush_and_shutdown`: flushes and shutdowns, on runtimes of both kinds.
//! - `logs`: warnings, and that no header is printed.
//! - `panics`: panics while a registry is read, and of clients.
//! - `requests`: what requests contain: headers, resource, compression, numbers of points.
//! - `retry_after`: exports after a receiver has asked for a delay.
//! - `retries`: which requests are sent again, and when.
//! - `settings`: settings that are not valid, and runtimes that are not suitable.
//! - `sums`: sums at the receiver after failures, by temporality.

mod collected_metrics;
mod connections;
mod deadlines;
mod decode;
mod export_metrics;
mod flush_and_shutdown;
mod logs;
mod panics;
mod receiver;
mod requests;
mod retries;
mod retry_after;
mod settings;
mod sums;
