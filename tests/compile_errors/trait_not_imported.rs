//! A layer around a service, without tower's trait.
//~ no method named `layer` found for struct `
//~ items from traits can only be used if the trait is in scope

use axum::Router;
use tachometer::MetricsLayer;
use tachometer::middleware::MetricsService;
#[cfg(not(mistake))]
use tower::Layer;

pub fn measure(app: Router) -> MetricsService<Router> {
    MetricsLayer::new().layer(app)
}
