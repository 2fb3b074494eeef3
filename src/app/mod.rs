//! The layer and the router on an axum application, in the right order.

use axum::Router;

use crate::middleware::MetricsLayer;
use crate::router::MetricsRouter;

/// Measures every request of `app`, and serves the metrics at `/metrics`.
///
/// This is `app.layer(MetricsLayer::new()).nest("/metrics", metrics_router())`, in
/// that order: the layer sees all that `app` has by then, its fallback too, and not
/// the scrapes. So add routes before, and what should not be measured after.
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
/// When the global registry holds something else under the name of one of the
/// layer's metrics, or `app` has a route at `/metrics`.
pub fn instrument<S>(app: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    instrument_with(app, MetricsLayer::new(), MetricsRouter::new())
}

/// Does what [`instrument`] does, with settings of one's own.
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
/// When the layer's registry holds something else under the name of one of its
/// metrics, or `app` has a route at `/metrics`.
pub fn instrument_with<S>(app: Router<S>, layer: MetricsLayer, router: MetricsRouter) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    app.layer(layer).nest("/metrics", router.build())
}
