//! The metrics router and its listener: options, access, limits.
//!
//! - `access`: who may read the metrics, and what every response says.
//! - `compression`: which coding each response has, and that its headers agree with it.
//! - `concurrency_limit`: the limit of concurrent scrapes, with collectors controlled by the
//!   tests.
//! - `expiry`: expiry of series: which scrapes count as a delivery.
//! - `fixed_headers`: the headers that every response has.
//! - `last_scrape`: waiting for the last scrape: which scrapes count, and for which calls.
//! - `listener`: the listener under hostile clients: connections, scrapes, paths and hosts.
//! - `page`: the page's files, its view, and its downloads.
//! - `scrape_fixture`: registries and routers for tests of scrapes.
//! - `scrape_isolation`: a collector that blocks or panics, and a runtime that has ended, harm
//!   no other request.
//! - `scrape_options`: options of a scrape: formats, names and a limit.
//! - `scrape_timeout`: the deadline of a scrape: what is cut off, and when.
//! - `scrape_waiting`: the concurrency limit of scrapes, over connections.
//! - `rollout`: pods that are replaced while a real Prometheus scrapes them.
//! - `serve`: `MetricsRouter::serve`: the metrics on a separate listener.
//! - `shutdown_after_scrape`: shutdowns of real servers that wait for the last scrape.

mod access;
#[cfg(feature = "compression")]
mod compression;
mod concurrency_limit;
mod expiry;
mod fixed_headers;
mod last_scrape;
#[cfg(feature = "serve")]
mod listener;
mod page;
#[cfg(feature = "serve")]
mod rollout;
mod scrape_fixture;
mod scrape_isolation;
mod scrape_options;
mod scrape_timeout;
mod scrape_waiting;
mod serve;
#[cfg(feature = "serve")]
mod shutdown_after_scrape;
