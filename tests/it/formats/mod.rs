//! The exposition formats: every parser reads back what was recorded.
//!
//! - `created_timestamps`: which formats contain creation timestamps.
//! - `exemplars`: exemplars: the latest one for each counter and each bucket.
//! - `exposition`: a registry in each format, and how it is served.
//! - `official_parsers`: expositions of every kind read by the official parsers, including the
//!   strict OpenMetrics one.
//! - `prometheus`: a real Prometheus scrapes a service and answers PromQL queries.
//! - `prometheus_answers`: Prometheus returns the same results for every format: it scrapes one
//!   registry as text, `OpenMetrics` and protobuf.
//! - `round_trip_numbers`: numbers, exemplars and times come back from every format exactly,
//!   and registries of any size completely.
//! - `round_trip_texts`: texts come back unchanged from every format.
//! - `sample_service`: the service that `parsers` and `prometheus` scrape.
//! - `textfile`: a file for the textfile collector of the node exporter.

mod created_timestamps;
mod exemplars;
mod exposition;
mod official_parsers;
pub(crate) mod parsers;
mod prometheus;
mod prometheus_answers;
mod round_trip_numbers;
mod round_trip_texts;
mod sample_service;
mod textfile;
