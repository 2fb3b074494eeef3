//! The router that serves metrics over HTTP.
//!
//! The guide [Exposition](crate::guides::exposition) explains it by task, and [Security](crate::guides::security)
//! lists what clients can do.
//!
//! ```
//! use axum::Router;
//! use tachometer::{MetricsRouter, Registry, metrics_router};
//!
//! // The global registry.
//! let app: Router = Router::new().nest("/metrics", metrics_router());
//!
//! // A custom registry.
//! let registry = Registry::new();
//! let app: Router =
//!     Router::new().nest("/metrics", MetricsRouter::new().registry(&registry).build());
//! ```
//!
//! Nested at `/metrics`, it answers GET and HEAD requests for these paths:
//!
//! | path | response |
//! | --- | --- |
//! | `/metrics` | all metrics, in the [format](crate::export::Format) that `Accept` asks for; by default Prometheus text 0.0.4 |
//! | `/metrics/json` | all metrics as JSON, see [`Registry::export_json`](crate::Registry::export_json) |
//! | `/metrics/summary` | one number per metric as JSON, see [`Registry::summary`](crate::Registry::summary) |
//! | `/metrics/dashboard` | a live dashboard for browsers |
//! | `/metrics/grafana.json` | a Grafana dashboard, see [`GrafanaBoard`](crate::dashboards::GrafanaBoard) |
//! | `/metrics/rules.yml` | alerting rules for Prometheus, see [`AlertRules`](crate::dashboards::AlertRules) |
//!
//! The first two accept `?name[]=http_requests_total&name[]=...`, which selects metrics by
//! name. JSON also accepts `?limit=1000`, the maximum number of series. With the feature
//! `compression`, all responses with status 200 are compressed with gzip or zstd if the client asks
//! for it.
//!
//! A scrape is encoded while it is sent, about 60 KiB at a time, on the runtime's blocking
//! threads. So a scrape needs little memory however many series there are, and delays no
//! request. At its [timeout](MetricsRouter::scrape_timeout) it frees its memory, whether the
//! client reads or not. [`MetricsLayer`](crate::MetricsLayer) does not count requests for
//! metrics. The router counts them: `tachometer_scrapes_total` and
//! `tachometer_scrape_duration_seconds` count complete scrapes,
//! `tachometer_scrapes_refused_total` scrapes above the limit of
//! [concurrent scrapes](MetricsRouter::max_concurrent_scrapes), and
//! `tachometer_scrapes_aborted_total` those that the router aborted.
//!
//! With the feature `system` the router adds the [system metrics](crate::system) to the
//! registry, unless [disabled](MetricsRouter::without_system_metrics).
//!
//! # Dashboard
//!
//! With the feature `dashboard` the router serves a live page: charts of the last minutes, the
//! routes, the LLM calls, and all metrics with a search. The router serves all of its files, so
//! it works without internet access, behind a proxy that adds a path prefix, and with the same
//! access control. While the page is visible, it requests `/metrics/view` every two seconds.
//! The router reads the registry at most once a second, however many pages are open, and never
//! if none is. It keeps a few minutes of history, starting with the first view.
//!
//! The dashboard shows one process. If several replicas share an address, the page says so; use
//! Prometheus to aggregate them. A browser can ask the user for a
//! [password](MetricsRouter::basic_auth), but not for a token.
//!
//! # Access control
//!
//! Metrics reveal what a service does. Serve them only where your Prometheus can reach them,
//! for example on a separate listener (`MetricsRouter::serve`, with the feature `serve`). Or
//! require a token or a password, or allow certain networks only:
//!
//! ```
//! # fn main() -> Result<(), tachometer::Error> {
//! # use axum::Router;
//! # use tachometer::MetricsRouter;
//! let token = std::env::var("METRICS_TOKEN").unwrap_or_default();
//! let router: Router = MetricsRouter::new()
//!     .allowed_networks(["127.0.0.1", "10.0.0.0/8"])?     // 403 for others
//!     .bearer_token(token)                              // 401 without it
//!     .basic_auth("someone", "a password")             // or with this instead
//!     .build();
//! # Ok(())
//! # }
//! ```
//!
//! Every response of the router has `X-Content-Type-Options: nosniff` and `Cache-Control:
//! no-store`. The dashboard's HTML, CSS and JavaScript have `no-cache` and an `ETag` instead. A
//! query string of more than 8 KiB is answered with 414. The tests are in
//! `tests/it/router/access/` and `tests/it/router/fixed_headers.rs`. A nested router answers its own paths
//! only; other paths below `/metrics` belong to the application.
//!
//! The separate listener (`MetricsRouter::serve_on`) also limits connections and checks the
//! `Host` of requests. The documentation of `MetricsServer` lists what clients can still do. In an application,
//! limiting connections is the server's job.

mod access;
mod blocking_task;
mod client_address;
mod common_response;
mod compressed_responses;
#[cfg(feature = "dashboard")]
mod dashboard;
mod fair_share;
#[cfg(any(feature = "dashboard", feature = "serve"))]
mod html_page;
mod last_scrape;
mod metrics_router;
mod router_state;
mod routes;
mod scrape;
#[cfg(feature = "serve")]
mod serve;

pub use last_scrape::{LastScrape, LastScrapeTimeout};
pub use metrics_router::{MetricsRouter, metrics_router};
#[cfg(feature = "serve")]
pub use serve::MetricsServer;
