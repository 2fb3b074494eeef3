//! Adds the layer and the router to an axum application, in the right order.

use axum::Router;

use crate::middleware::MetricsLayer;
use crate::router::MetricsRouter;

/// Measures every request of `app`, and serves the metrics at `/metrics`.
///
/// It is the same as `app.layer(MetricsLayer::new()).nest("/metrics", metrics_router())`. The
/// layer measures everything that `app` has by then, including its fallback, and no scrapes.
/// Add routes before this call, and what should not be measured after it.
///
/// ```
/// use axum::{Router, routing::get};
/// use tachometer::instrument;
///
/// let app: Router = instrument(Router::new().route("/", get(async || "hello")));
/// ```
///
/// # Panics
///
/// If the global registry holds something else under the name of one of the layer's metrics, or
/// if `app` has a route at `/metrics`.
pub fn instrument<S>(app: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    instrument_with(app, MetricsLayer::new(), MetricsRouter::new())
}

/// Does the same as [`instrument`], with a custom layer and router.
///
/// ```
/// use axum::{Router, routing::get};
/// use tachometer::{MetricsLayer, MetricsRouter, Registry, instrument_with};
///
/// let registry = Registry::new();
/// let app: Router = instrument_with(
///     Router::new().route("/", get(async || "hello")),
///     MetricsLayer::new().registry(&registry).skip(|_, uri| uri.path() == "/health"),
///     MetricsRouter::new().registry(&registry),
/// );
/// ```
///
/// # Panics
///
/// If the layer's registry holds something else under the name of one of its metrics, or if
/// `app` has a route at `/metrics`.
pub fn instrument_with<S>(app: Router<S>, layer: MetricsLayer, router: MetricsRouter) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    app.layer(layer).nest("/metrics", router.build())
}
