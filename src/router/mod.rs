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
//! | `/metrics` | Prometheus's text format 0.0.4 |
//! | `/metrics/json` | JSON, as [`Registry::export_json`] gives it |
//!
//! An answer is made while it is sent, a chunk at a time, so that a scrape needs
//! little memory however many series there are. It is not counted by
//! [`MetricsLayer`](crate::middleware::MetricsLayer).
//!
//! # Who may read it
//!
//! It shows what a service does to whoever can reach it. Serve it where only
//! your Prometheus does, for instance on a listener of its own
//! (`MetricsRouter::serve`, with the feature `serve`); or ask for a token or a
//! password, or name the networks:
//!
//! ```
//! # fn main() -> Result<(), tachometer::Error> {
//! # use axum::Router;
//! # use tachometer::MetricsRouter;
//! let token = std::env::var("METRICS_TOKEN").unwrap_or_default();
//! let router: Router = MetricsRouter::new()
//!     .networks(["127.0.0.1", "10.0.0.0/8"])?     // 403 to others
//!     .bearer(token)                              // 401 without it
//!     .basic("someone", "a password")             // or with this instead
//!     .build();
//! # Ok(())
//! # }
//! ```
//!
//! Every answer of the router says `Cache-Control: no-store` and
//! `X-Content-Type-Options: nosniff`, and a query of more than 8 KiB is answered
//! with 414. Nested, the router answers its own paths; what else there is below
//! `/metrics` is answered by the application, which says what it likes.

mod body;
mod credentials;
mod guard;
mod networks;
#[cfg(feature = "serve")]
mod serve;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::export::Format;
use crate::registry::Registry;
use body::Scrape;
use guard::Guard;
#[cfg(feature = "serve")]
pub use serve::Serving;

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
#[derive(Debug, Clone, Default)]
#[must_use = "call `build` to get the router"]
pub struct MetricsRouter {
    /// The global registry where there is none.
    registry: Option<Registry>,
    guard: Guard,
}

impl MetricsRouter {
    /// Begins with the settings of [`metrics_router`]: the global registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            registry: Some(registry.clone()),
            ..self
        }
    }

    /// Makes the router; it fits into a router with any state.
    pub fn build<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let routes = self.routes();
        self.guard.before(routes)
    }

    fn routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let registry = self
            .registry
            .clone()
            .unwrap_or_else(|| Registry::global().clone());
        let serve = |format| {
            let registry = registry.clone();
            get(move || async move { scrape(&registry, format) })
        };
        Router::new()
            .route("/", serve(Format::Text))
            .route("/json", serve(Format::Json))
    }
}

fn scrape(registry: &Registry, format: Format) -> Response {
    let headers = [(CONTENT_TYPE, format.content_type())];
    let body = Body::new(Scrape::new(registry, format));
    (headers, body).into_response()
}
