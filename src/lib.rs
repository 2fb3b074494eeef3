//! Metrics for axum and tower services and for LLM calls: a layer that measures every
//! request, a layer that measures every LLM call, a metric core, and a router that serves
//! the metrics to Prometheus, as JSON, and as a live page.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tachometer::{MetricsLayer, metrics_router};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new()
//!         .route("/users/{id}", get(|| async { "a user" }))
//!         .layer(MetricsLayer::new())             // every request measured
//!         .nest("/metrics", metrics_router());    // for Prometheus, and as JSON
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await
//! }
//! ```
//!
//! LLM calls are measured by a layer around the HTTP client that makes them ([`llm`]):
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn run(request: reqwest::Request) -> Result<(), reqwest::Error> {
//! use tachometer::LlmLayer;
//!
//! let llm = LlmLayer::new().layer(reqwest::Client::new());  // calls, tokens, time to first token
//! let answer = llm.execute(request).await?;                 // a reqwest::Response
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
//! # What it promises
//!
//! - Every accepted request is counted with exactly one outcome, whether it finishes, fails,
//!   panics, or is cancelled before or inside the response body.
//! - Every LLM call is counted with exactly one outcome, when its response ends. The response
//!   passes unchanged and is not buffered.
//! - Responses pass unchanged, and no panic or error of this crate reaches a request. Invalid
//!   metrics are reported when they are created.
//! - The labels of the layer have fixed values or are route templates, never text that a client
//!   sent. Custom labels have a [limit](Family::limit). So invented values cannot fill the
//!   memory, and sums stay correct.
//! - Recording a request takes no lock, formats nothing and never panics. It allocates nothing
//!   once a series exists and has seen a value of that magnitude.
//! - Every scrape can be parsed and is consistent: the count of a histogram equals its `+Inf`
//!   bucket, and cumulative buckets never decrease.
//! - Registries share nothing. The global registry is a convenience.
//! - `Debug` output of layers, bodies and handles contains no value that a client can choose.
//! - There is no unsafe code.
//!
//! The guide [`security`](guides::security) lists the limits, and names the test that checks
//! each claim. The other [guides] explain each part with examples.
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
//! # Features
//!
//! | feature | default | what |
//! | --- | --- | --- |
//! | `axum` | yes | [`metrics_router`], and route templates as the layer's `route` |
//! | `llm` | yes | [`LlmLayer`], for any client that uses the types of the `http` crate |
//! | `reqwest`, `hyper-util`, `reqwest-middleware`, `async-openai` | no | [`LlmLayer`] for these clients |
//! | `macros` | yes | [`timed`](macro@timed), which times functions |
//! | `system` | yes | [`system`]: CPU, memory and other system metrics, which the router adds |
//! | `dashboard` | yes | [`dashboards`]: a live page, a Grafana board and Prometheus rules |
//! | `serve` | no | `MetricsRouter::serve`: the metrics on a separate listener |
//! | `tokio-metrics` | no | `Registry::register_tokio_metrics`: workers, tasks and queues of a tokio runtime |
//! | `compression` | no | gzip and zstd compression of scrapes, if the scraper accepts it |

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

#[cfg(feature = "dashboard")]
pub mod dashboards;
pub mod export;
#[cfg(feature = "llm")]
pub mod llm;
pub mod middleware;
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
