//! The metrics endpoint, added as a layer.
//~ Layer<Route>` is not satisfied

use axum::Router;
use tachometer::{MetricsLayer, metrics_router};

#[cfg(mistake)]
pub fn measure(app: Router) -> Router {
    app.layer(metrics_router())
}

#[cfg(not(mistake))]
pub fn measure(app: Router) -> Router {
    app.layer(MetricsLayer::new())
        .nest("/metrics", metrics_router())
}
