//! Middleware for axum's `Body` below a layer that changes the type of request bodies.
//~ RequestBody<Body>>>` is not implemented for `FromFn<

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tachometer::MetricsLayer;
use tower::ServiceBuilder;

async fn check(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[cfg(mistake)]
pub fn measure(app: Router) -> Router {
    let layer = MetricsLayer::new().wrap_request_body();
    app.layer(ServiceBuilder::new().layer(layer).layer(from_fn(check)))
}

#[cfg(not(mistake))]
pub fn measure(app: Router) -> Router {
    app.layer(
        ServiceBuilder::new()
            .layer(MetricsLayer::new())
            .layer(from_fn(check)),
    )
}
