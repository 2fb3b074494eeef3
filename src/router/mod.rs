//! The router that serves a registry.
//!
//! ```
//! use axum::Router;
//! use tachometer::{MetricsRouter, Registry, metrics_router};
//!
//! // The global registry.
//! let app: Router = Router::new().nest("/metrics", metrics_router());
//!
//! // A registry of one's own.
//! let registry = Registry::new();
//! let app: Router =
//!     Router::new().nest("/metrics", MetricsRouter::new().registry(&registry).build());
//! ```
//!
//! Nested at `/metrics` it answers, to GET and HEAD:
//!
//! | path | what |
//! | --- | --- |
//! | `/metrics` | the [format](crate::export::Format) that `Accept` asks for; Prometheus's text 0.0.4 by default |
//! | `/metrics/json` | JSON, as [`Registry::export_json`] gives it |
//! | `/metrics/summary` | one number a metric, as [`Registry::summary`] gives it |
//! | `/metrics/dashboard` | a live page, for people |
//! | `/metrics/grafana.json` | a board for Grafana, as [`GrafanaBoard`](crate::dashboards::GrafanaBoard) makes it |
//! | `/metrics/rules.yml` | rules for Prometheus, as [`AlertRules`](crate::dashboards::AlertRules) makes them |
//!
//! The first two take `?name[]=http_requests_total&name[]=...`, for these metrics only, and
//! JSON `?limit=1000`, for at most this many series. With the feature `compression` these two
//! are compressed by gzip or zstd if the client asks for it; the other answers never are.
//!
//! An answer is made while it is sent, some 60 KiB at a time, on the runtime's threads
//! for blocking work: a scrape needs little memory however many series there are, and
//! delays no request. At its [deadline](MetricsRouter::deadline) it frees what it holds, whether
//! its client reads or not. [`MetricsLayer`](crate::middleware::MetricsLayer) does not count it.
//! `tachometer_scrapes_total` and `tachometer_scrape_duration_seconds` do when it has been
//! answered to its end, `tachometer_scrapes_refused_total` if there were too many, and
//! `tachometer_scrapes_cut_total` if it was cut off.
//!
//! With the feature `system` the router adds the metrics of the [system](crate::system) to
//! the registry, unless it is told [not to](MetricsRouter::without_system).
//!
//! # The page
//!
//! With the feature `dashboard` the router serves a page that shows what there is: figures
//! and charts of the last minutes, the routes, the calls of LLMs, and every metric to
//! search. All of it comes from the router, so it works without the internet, behind a proxy
//! that adds a path, and behind the same guard. It asks for `/metrics/view` every two
//! seconds while someone looks at it: the registry is read at most once a second, however
//! many do, and not at all while nobody does. A few minutes of history are kept from the
//! first look on.
//!
//! It is about the process that answers. Behind an address with several replicas it says so;
//! add them up in Prometheus. A browser can ask for a [password](MetricsRouter::basic), not
//! for a token.
//!
//! # Who may read it
//!
//! The metrics show what a service does to everyone who can reach them. Serve them where only
//! your Prometheus can, for instance on a listener of their own (`MetricsRouter::serve`, with the
//! feature `serve`); or require a token or a password, or name the networks:
//!
//! ```
//! # fn main() -> Result<(), tachometer::Error> {
//! # use axum::Router;
//! # use tachometer::MetricsRouter;
//! let token = std::env::var("METRICS_TOKEN").unwrap_or_default();
//! let router: Router = MetricsRouter::new()
//!     .allowed_networks(["127.0.0.1", "10.0.0.0/8"])?     // 403 to others
//!     .bearer_token(token)                              // 401 without it
//!     .basic_auth("someone", "a password")             // or with this instead
//!     .build();
//! # Ok(())
//! # }
//! ```
//!
//! Every answer of the router has `X-Content-Type-Options: nosniff` and `Cache-Control:
//! no-store`. Exception: the page's HTML, CSS and JavaScript are sent with `no-cache` and an
//! `ETag`. A query of more than 8 KiB is answered with 414. The tests are in
//! `tests/it/router/access.rs` and `tests/it/router/page.rs`. Nested, the router answers its own paths; other
//! paths below `/metrics` are the application's.
//!
//! A listener of its own (`MetricsRouter::serve_on`) also limits connections and checks the host
//! of requests. The documentation of `serve_on` says what clients can hold in spite of that. In
//! an application, the server has to limit connections.

mod accept_header;
mod access_control;
mod allowed_networks;
mod blocking_task;
mod compression;
mod content_negotiation;
mod credentials;
#[cfg(feature = "dashboard")]
mod dashboard;
mod encoded_chunks;
mod evict;
mod fair_share;
#[cfg(any(feature = "dashboard", feature = "serve"))]
mod html_page;
mod routes;
mod scrape_body;
mod scrape_deadline;
mod scrape_metrics;
mod scrape_permits;
mod scrape_query;
mod scrape_state;
mod scrape_timeout;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "dashboard")]
mod static_file;
#[cfg(feature = "system")]
mod system;

use std::fmt;
use std::time::Duration;

use axum::Router;

use crate::error::Error;
use crate::registry::Registry;
#[cfg(feature = "system")]
use crate::system::SystemMetrics;
use access_control::Guard;
#[cfg(feature = "dashboard")]
use dashboard::Board;
use routes::{Routes, routes};
#[cfg(feature = "serve")]
use serve::ListenerSettings;
#[cfg(feature = "serve")]
pub use serve::MetricsServer;

/// Returns a router that serves the global registry, to be nested at `/metrics`.
///
/// See the [module](self).
pub fn metrics_router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    MetricsRouter::new().build()
}

/// The settings of a router that serves a registry. See the [module](self).
#[derive(Clone)]
#[must_use = "call `build` to get the router"]
pub struct MetricsRouter {
    /// The global registry where there is none.
    registry: Option<Registry>,
    guard: Guard,
    created: bool,
    in_flight: usize,
    deadline: Duration,
    #[cfg(feature = "dashboard")]
    board: Option<Board>,
    #[cfg(feature = "system")]
    system: Option<SystemMetrics>,
    #[cfg(feature = "serve")]
    listening: ListenerSettings,
}

impl MetricsRouter {
    /// Begins with the settings of [`metrics_router`]: the global registry.
    pub fn new() -> Self {
        Self {
            registry: None,
            guard: Guard::default(),
            created: false,
            in_flight: 8,
            deadline: Duration::from_secs(30),
            #[cfg(feature = "dashboard")]
            board: Some(Board::default()),
            #[cfg(feature = "system")]
            system: Some(SystemMetrics::new()),
            #[cfg(feature = "serve")]
            listening: ListenerSettings::default(),
        }
    }

    /// Serves `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            registry: Some(registry.clone()),
            ..self
        }
    }

    /// Serves several registries as one, such as a custom registry and the global one.
    ///
    /// Everything that the router serves is about all of them: scrapes, JSON, the page, the
    /// board and the rules. See [`Registry::merged`] for how families are merged. The metrics
    /// about the router's own scrapes, and those of the system, go to the first registry.
    ///
    /// ```
    /// use axum::Router;
    /// use tachometer::{MetricsRouter, Registry};
    ///
    /// # fn main() -> Result<(), tachometer::Error> {
    /// let registry = Registry::new();
    /// let metrics = MetricsRouter::new().registries([&registry, Registry::global()])?;
    /// let app: Router = Router::new().nest("/metrics", metrics.build());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If no registry is given, or if two of them conflict ([`Error::is_conflict`]).
    pub fn registries<'a>(
        self,
        registries: impl IntoIterator<Item = &'a Registry>,
    ) -> Result<Self, Error> {
        Ok(self.registry(&Registry::merged(registries)?))
    }

    /// Lets `OpenMetrics` say since when each counter and histogram counts, in a line
    /// more for every series; by default it does not. Protobuf says it in any case.
    pub fn created_timestamps(self, created: bool) -> Self {
        Self { created, ..self }
    }

    /// Answers at most this many scrapes at a time, and more with 503; by default 8. With 0
    /// it answers none.
    ///
    /// A scrape counts until its answer has ended, until its client has gone, or until its
    /// [`scrape_timeout`](Self::scrape_timeout), and in any case for as long as a collector is at work for
    /// it. So slow collectors never take more of the runtime's threads for blocking work. The
    /// summary, the page's data, the board and the rules count as scrapes.
    ///
    /// One client address has at most three quarters of the places, and at least one less than
    /// all: 6 of 8. So it cannot take all of them, even if it keeps collectors busy all the
    /// time. If this is set to 1, there is only one place, and one client can keep it busy.
    ///
    /// If all places are in use, a new scrape cuts off the oldest scrape of the address with the
    /// most scrapes, if that address has at least two more than the new client. Scrapes that are
    /// making a part of the answer at that moment are not cut off.
    ///
    /// This works only if the server provides client addresses (see
    /// [`allowed_networks`](Self::allowed_networks)). An IPv6 /64 counts as one. Without addresses one client
    /// can take all places. For what several clients can do together see `serve_on` (tests:
    /// `tests/it/router/listener.rs`).
    pub fn max_concurrent_scrapes(self, most: usize) -> Self {
        Self {
            in_flight: most,
            ..self
        }
    }

    /// Cuts a scrape off after this time; by default after 30 seconds. A scraper that gives
    /// up sooner may say so in `X-Prometheus-Scrape-Timeout-Seconds`, as Prometheus does; less
    /// than a second counts as a second.
    ///
    /// At its deadline a scrape frees what it holds, whether its client reads or not: its place
    /// among those [in flight](Self::in_flight), its part of the answer, and what compresses
    /// it. Less than 1 KiB is left (tests: `tests/it/router/scrape_limits.rs`, `tests/memory.rs`). A
    /// collector that is at work then is not stopped, but no longer waited for. One thread of
    /// the crate ends all scrapes, so the runtime needs no timers.
    ///
    /// An answer that is cut off breaks its connection, so that it never looks whole. (Over
    /// HTTP/1.0 an answer ends with its connection; only the crate's own listener resets it.)
    ///
    /// A client that has stopped reading keeps its connection until the server closes it.
    /// `MetricsRouter::serve` does so one second after the deadline. `axum::serve` does not: it keeps hyper's
    /// write buffer, about 400 KiB, and the socket's buffer until the client has gone. If such
    /// clients can reach the metrics, use `serve`, or a proxy with a write timeout.
    pub fn scrape_timeout(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Makes the router; it fits into a router with any state.
    pub fn build<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let Routes {
            root,
            subpaths: below,
        } = routes(&self);
        self.guard.before(below.route("/", root))
    }
}

impl Default for MetricsRouter {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints which credentials the router asks for, and not what they are.
impl fmt::Debug for MetricsRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsRouter")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
