//! OTLP requests, read by the official messages for Python.
//!
//! - `buckets`: exponential buckets, compared with the mapping of OpenTelemetry's SDK.
//! - `decoded`: exports a registry, and decodes the requests.
//! - `registries`: the numbers and labels of registries of every kind.
//! - `semantic_names`: names and attributes of the semantic conventions.
//! - `translated_names`: a receiver that translates names for Prometheus makes those of a scrape.

mod buckets;
mod decoded;
mod registries;
mod semantic_names;
mod translated_names;
