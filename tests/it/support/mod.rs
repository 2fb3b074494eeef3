//! Shared helpers: reading a registry, calling over loopback, running other programs.

pub(crate) mod compare_exports;
pub(crate) mod example;
pub(crate) mod fixture;
pub(crate) mod loopback;
pub(crate) mod observed;
pub(crate) mod otel_collector;
pub(crate) mod parse;
pub(crate) mod program;
pub(crate) mod prometheus;
#[cfg(feature = "dashboard")]
pub(crate) mod promql;
#[cfg(feature = "pushgateway")]
pub(crate) mod pushgateway;
pub(crate) mod raw_client;
pub(crate) mod read;
pub(crate) mod request_ends;
pub(crate) mod requests;
pub(crate) mod rotel;
pub(crate) mod scenario;
pub(crate) mod scripted_collector;
pub(crate) mod service;
#[path = "../../support/skipped.rs"]
pub(crate) mod skipped;
pub(crate) mod victoria_metrics;
pub(crate) mod wait;
pub(crate) mod warnings;
