//! Request metrics for axum and tower, and metrics of calls of LLMs: a layer that
//! measures every request, one that measures every call of a model, a metric core, and a
//! router that serves it all to Prometheus and to programs.
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
//! Calls of LLMs are measured by a layer around the client that makes them ([`llm`]):
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn run(request: reqwest::Request) -> Result<(), reqwest::Error> {
//! use tachometer::LlmLayer;
//!
//! let llm = LlmLayer::new().layer(reqwest::Client::new());  // calls, tokens, time to first token
//! let answer = llm.execute(request).await?;                 // a reqwest::Response, as ever
//! # Ok(())
//! # }
//! ```
//!
//! Metrics of one's own come from the same registry:
//!
//! ```
//! let mails = tachometer::counter("mails_total", "Mails sent.");
//! mails.inc();
//! ```
//!
//! # What it promises
//!
//! - Every accepted request ends in exactly one outcome, whatever becomes of it:
//!   finished, failed, cancelled before or inside the body, panicked.
//! - Every call of a model, too, ends in one outcome, told at the end of its answer; the
//!   answer passes as it came, and is not kept.
//! - Responses pass unchanged, and no panic or error of this crate's reaches a
//!   request. What is wrong with a metric is said when it is made.
//! - The layer's labels come from closed sets and from route templates, never from
//!   what a client wrote; those of one's own have a [limit](Family::limit). So no
//!   flood of invented values fills the memory, and sums stay right.
//! - On the way of a request nothing locks, formats or panics, and nothing
//!   allocates once a series has been made and a value of that magnitude seen.
//! - Every scrape parses and agrees with itself: a histogram's count is its
//!   `+Inf` bucket, and its buckets never fall.
//! - Registries share nothing; the global one is a convenience.
//! - `Debug` of layers, bodies and handles prints no value that a client can choose.
//! - No unsafe code.
//!
//! `docs/security.md` lists the limits, and the test in the repository that checks each claim.
//!
//! # Layout
//!
//! Each room is a module, and imports only from the floors below it:
//!
//! ```text
//! 5  app         the layer and the router on an application, in the right order
//!    testing     assertions on what was measured
//! 4  router      serves a registry over HTTP
//! 3  middleware  the layer: layer -> service -> future -> body -> record
//!    llm         the same for calls of LLMs: exchange, framing, scan, dialects
//!    system      what the machine, the process and its container use
//!    runtime     what tokio's runtime knows of itself
//!    timed       what `#[timed]` makes of a function
//!    export      a registry in every format, whole or in chunks
//!    dashboards  what people look at: the live page, Grafana boards, alert rules
//! 2  registry    metrics under their names, and reading them all
//!    encode      blocks of series to text and bytes
//! 1  metric      counters, gauges, histograms, families: the handles
//! 0  cell        the atomics, where all recording ends
//!    snapshot    what was read: plain data
//!    context     what the router and the layers share: the route that is being answered
//!    error       what can be refused, at start-up
//!
//! write: request -> layer -> service -> future -> body -> record -> handle -> cell
//! read:  scrape  -> router -> gather -> snapshot -> encode -> body
//! ```
//!
//! # Features
//!
//! | feature | default | what |
//! | --- | --- | --- |
//! | `axum` | yes | [`metrics_router`], and route templates as the layer's `route` |
//! | `llm` | yes | [`LlmLayer`], for any client of the `http` crate's types |
//! | `reqwest`, `hyper-util`, `reqwest-middleware`, `async-openai` | no | the same for these clients |
//! | `macros` | yes | [`timed`](macro@timed), which times functions |
//! | `system` | yes | [`system`]: CPU, memory and the like, which the router adds to what it serves |
//! | `dashboard` | yes | [`dashboards`]: a live page, a board for Grafana and rules for Prometheus |
//! | `serve` | no | `MetricsRouter::serve`: the metrics on a listener of their own |
//! | `tokio-metrics` | no | [`runtime`]: workers, tasks and queues of tokio's runtime |
//! | `compression` | no | scrapes compressed by gzip or zstd, where the scraper asks for it |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

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
pub mod runtime;
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

#[cfg(feature = "tokio-metrics")]
pub use runtime::TokioMetrics;
#[cfg(feature = "system")]
pub use system::{SystemMetrics, SystemMetricsUpdater};

#[cfg(feature = "macros")]
pub use timed::timed;

/// What `timed` writes into functions, which no one else is to call.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __timed {
    pub use crate::timed::*;
}

/// The examples in the README are compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;

/// So are those in the guide to calls of LLMs.
#[cfg(all(doctest, feature = "axum", feature = "llm"))]
#[doc = include_str!("../docs/llm.md")]
#[derive(Debug)]
pub struct LlmGuide;

/// And those in the guide for who comes from Python.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "llm",
    feature = "macros",
    feature = "system"
))]
#[doc = include_str!("../docs/from-python.md")]
#[derive(Debug)]
pub struct FromPython;
