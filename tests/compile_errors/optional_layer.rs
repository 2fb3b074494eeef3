//! A layer that changes the type of responses, in tower's `option_layer`.
//~ expected `Response<ResponseBody<Body>>`, found `Response<Body>`

use axum::Router;
use tachometer::MetricsLayer;
use tower::util::option_layer;

#[cfg(mistake)]
pub fn measure(app: Router, is_measured: bool) -> Router {
    app.layer(option_layer(is_measured.then(MetricsLayer::new)))
}

#[cfg(not(mistake))]
pub fn measure(app: Router, is_measured: bool) -> Router {
    let layer = is_measured.then(|| MetricsLayer::new().boxed());
    app.layer(option_layer(layer))
        .layer(MetricsLayer::new().enabled(is_measured))
}
