//! A metrics router that is nested before it is built.
//~ expected `Router`, found `MetricsRouter`

use axum::Router;
use tachometer::MetricsRouter;

#[cfg(mistake)]
pub fn serve(app: Router) -> Router {
    app.nest("/metrics", MetricsRouter::new())
}

#[cfg(not(mistake))]
pub fn serve(app: Router) -> Router {
    app.nest("/metrics", MetricsRouter::new().build())
}
