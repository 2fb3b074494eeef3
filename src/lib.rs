//! Tachometer adds Prometheus metrics to [axum] and [tower] services. It records HTTP requests,
//! LLM calls, custom metrics and the CPU and memory of the process, and serves them to Prometheus,
//! as JSON and as a live dashboard.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tachometer::{MetricsLayer, metrics_router};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new()
//!         .route("/users/{id}", get(async || "a user"))
//!         .layer(MetricsLayer::new())          // measures every request
//!         .nest("/metrics", metrics_router()); // serves the metrics
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await
//! }
//! ```
//!
//! [`LlmLayer`] measures LLM calls in the HTTP client that makes them:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn run(request: reqwest::Request) -> Result<(), reqwest::Error> {
//! use tachometer::LlmLayer;
//!
//! let llm = LlmLayer::new().layer(reqwest::Client::new()); // create it once
//! let response = llm.execute(request).await?;              // a `reqwest::Response`
//! # Ok(())
//! # }
//! ```
//!
//! Custom metrics use the same registry:
//!
//! ```
//! let mails = tachometer::counter("mails_total", "Mails sent.");
//! mails.inc();
//! ```
//!
//! # Guides
//!
//! | guide | content |
//! | --- | --- |
//! | [HTTP layer](guides::http) | metrics, outcomes, custom labels, histogram buckets, body sizes, streaming, WebSocket, gRPC |
//! | [Order of middleware](guides::middleware_order) | positions of the layer, tower-http, a whole stack, nested layers |
//! | [LLM calls](guides::llm) | clients, providers, tokens, cost, rate limits |
//! | [Custom metrics](guides::custom_metrics) | counters, gauges, histograms, labels, timers, registries |
//! | [Metrics of other libraries](guides::bridges) | the `metrics` facade, the `prometheus` crate, collectors |
//! | [Exposition](guides::exposition) | endpoints, formats, scrape limits, access control, separate listener |
//! | [Replicas, OTLP and rollouts](guides::fleet) | fleets, OTLP, Pushgateway, text files, shutdown without loss |
//! | [Security](guides::security) | label values that clients can choose, known limits |
//! | [Dashboards and alerts](guides::dashboards) | live dashboard, Grafana, alerting rules |
//! | [Testing](guides::testing) | assertions on metrics in your tests |
//! | [Troubleshooting](guides::troubleshooting) | symptoms and remedies |
//! | Migration | from [axum-prometheus](guides::from_axum_prometheus), [metrics](guides::from_metrics), [OpenTelemetry](guides::from_opentelemetry), [Python](guides::from_python) |
//!
//! # Features
//!
//! | feature | default | content |
//! | --- | --- | --- |
//! | `axum` | yes | [`metrics_router`] and [`MetricsRouter`]; route templates of axum in [`MetricsLayer`] |
//! | `dashboard` | yes | [`dashboards`]: the live dashboard, the Grafana dashboard and alerting rules |
//! | `llm` | yes | [`LlmLayer`] for all clients with the types of the `http` crate |
//! | `macros` | yes | [`timed`](macro@timed), an attribute that measures functions |
//! | `system` | yes | [`system`]: CPU, memory and files of the process, its container and the machine |
//! | `reqwest` | no | [`LlmLayer`] for reqwest 0.13 |
//! | `reqwest-middleware` | no | [`LlmLayer`] for reqwest-middleware 0.5 |
//! | `async-openai` | no | [`LlmLayer`] for async-openai 0.43 |
//! | `hyper-util` | no | [`LlmLayer`] for the client of hyper-util 0.1 |
//! | `serve` | no | `MetricsRouter::serve`: a separate listener for the metrics |
//! | `compression` | no | gzip and zstd compression of the responses of [`MetricsRouter`]; needs a C compiler |
//! | `metrics` | no | `bridge::MetricsRecorder`, a [bridge](guides::bridges) for metrics that other libraries record with the `metrics` facade |
//! | `prometheus` | no | `bridge::PrometheusCollector` and `bridge::RegistryCollector`, [bridges](guides::bridges) from and to a registry of the `prometheus` crate |
//! | `otlp` | no | `push::Otlp`: sends a registry over OTLP, to an OpenTelemetry Collector or a monitoring system |
//! | `pushgateway` | no | `push::Pushgateway`: pushes a registry to a Prometheus Pushgateway at the end of a job |
//! | `tokio-metrics` | no | `Registry::register_tokio_metrics`: workers, tasks and the queue of a tokio runtime |
//!
//! For HTTP metrics only, use `default-features = false, features = ["axum"]`. Without any feature,
//! [`MetricsLayer`] measures tower services, and [`Registry`] exports all formats.
//!
//! # What it promises
//!
//! - Every accepted request is counted with exactly one outcome, even if it fails, panics, or is
//!   cancelled before or inside the response body.
//! - Every LLM call is counted with exactly one outcome, when its response ends. The response
//!   passes unchanged and is not buffered.
//! - Responses pass unchanged, and no panic or error of this crate reaches a request. Invalid
//!   metrics are reported when they are created.
//! - The labels of the layer have fixed values or are route templates, never text that a client
//!   sent. Custom labels have a [limit](Family::limit). So invented values cannot fill the
//!   memory, and sums stay correct.
//! - Recording formats nothing and never panics. It takes no lock and allocates nothing once a
//!   series exists and has seen a value of that magnitude, with [three
//!   exceptions](guides::custom_metrics#what-a-record-costs) for busy series. A request without a
//!   known route, or without extensions (as outside of axum), allocates a few small objects.
//! - The memory of a series and its share of a scrape depend on how often it is recorded. If it was
//!   never busy, they are the same for any number of threads and cores. A busy series has at most
//!   16 copies of its numbers, on any machine.
//! - Every scrape can be parsed and is consistent: the count of a histogram equals its `+Inf`
//!   bucket, and cumulative buckets never decrease.
//! - Registries share nothing. The global registry is a convenience.
//! - `Debug` output of layers, bodies and handles contains no value that a client can choose.
//! - There is no unsafe code.
//! - Nothing is lost at shutdown if the service waits until its last values were
//!   [scraped](MetricsRouter::last_scrape) or [pushed](guides::fleet#flush-and-shutdown).
//!
//! The guide [Security](guides::security) lists the known limits, and the test for each claim.
//!
//! # Layout
//!
//! Each module has a level, and imports only from modules on lower levels:
//!
//! ```text
//! 5  guides      the files of `docs/`, for the documentation only
//!    app         adds the layer and the router to an application, in the right order
//!    testing     assertions on metrics
//! 4  router      serves registries over HTTP
//! 3  middleware  the HTTP layer: layer -> service -> future -> body -> record
//!    llm         the layer for LLM calls (see below)
//!    system      metrics of the machine, the process and its container
//!    runtime     metrics of the tokio runtime
//!    timed       the runtime part of `#[timed]`
//!    export      a registry in every format, complete or in chunks
//!    dashboards  the live page, Grafana boards, alert rules
//!    bridge      bridges to the `metrics` facade and the `prometheus` crate
//!    push        sends a registry to a monitoring system, over OTLP or to a Pushgateway
//! 2  registry    metrics by name, and gathering them
//!    encode      encodes blocks of series as text, protobuf and JSON
//! 1  metric      counters, gauges, histograms, families: the handles
//! 0  cell        the atomics that handles write to
//!    snapshot    gathered metrics as plain data
//!    context     state that layers and the router share, such as the current route
//!    error       the error type
//!
//! write: request -> layer -> service -> future -> body -> record -> handle -> cell
//! read:  scrape  -> router -> gather -> snapshot -> encode -> body
//! ```
//!
//! `llm` has levels of its own:
//!
//! ```text
//! 5  client      adapters for reqwest, hyper-util, reqwest-middleware and async-openai
//! 4  tower       the layer: layer -> service -> future -> body
//! 3  call        one HTTP call, from the request to its outcome
//! 2  request     detects dialect, provider and parameters of a request
//!    response    framing, JSON, the dialects of responses
//!    metrics     the metric families, and recording a finished call
//! 1  cost        prices
//! 0  facts       what can be known about a call: usage, outcome, money
//! ```
//!
//! [axum]: https://docs.rs/axum
//! [tower]: https://docs.rs/tower

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(all(
    doc,
    any(
        not(doctest),
        all(
            feature = "async-openai",
            feature = "compression",
            feature = "dashboard",
            feature = "hyper-util",
            feature = "macros",
            feature = "metrics",
            feature = "otlp",
            feature = "prometheus",
            feature = "pushgateway",
            feature = "reqwest-middleware",
            feature = "serve",
            feature = "system",
            feature = "tokio-metrics"
        )
    )
))]
pub mod guides;

#[cfg(feature = "axum")]
mod app;
pub mod testing;

#[cfg(feature = "axum")]
pub mod router;

#[cfg(any(feature = "metrics", feature = "prometheus"))]
pub mod bridge;
#[cfg(feature = "dashboard")]
pub mod dashboards;
pub mod export;
#[cfg(feature = "llm")]
pub mod llm;
pub mod middleware;
#[cfg(any(feature = "otlp", feature = "pushgateway"))]
pub mod push;
#[cfg(feature = "tokio-metrics")]
mod runtime;
#[cfg(feature = "system")]
pub mod system;
#[cfg(feature = "macros")]
mod timed;

mod encode;
pub mod registry;

pub mod metric;

mod cell;
mod context;
mod error;
pub mod snapshot;

#[cfg(feature = "axum")]
pub use app::{instrument, instrument_with};
pub use context::{RequestRoute, carry_route};
pub use error::Error;
#[cfg(feature = "llm")]
pub use llm::LlmLayer;
pub use metric::{Buckets, Counter, Family, Gauge, Histogram, Label, Metric, Timer};
pub use middleware::MetricsLayer;
pub use registry::{
    Registry, counter, counter_family, counter_with, gauge, gauge_family, gauge_with, histogram,
    histogram_family, histogram_family_with_buckets, histogram_with, histogram_with_buckets,
};
#[cfg(feature = "axum")]
pub use router::{MetricsRouter, metrics_router};

#[cfg(feature = "system")]
pub use system::{SystemMetrics, SystemMetricsUpdater};

#[cfg(feature = "macros")]
pub use timed::timed;

/// Called by the code that `#[timed]` generates. Not public API.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __timed {
    pub use crate::timed::*;
}

/// Compiles and runs the examples in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
