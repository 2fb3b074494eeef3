//! A closure for `skip` that takes the whole request.
//~ closure is expected to take 2 arguments, but it takes 1 argument

use tachometer::MetricsLayer;

#[cfg(mistake)]
pub fn layer() -> MetricsLayer {
    MetricsLayer::new().skip(|request| request.uri().path() == "/health")
}

#[cfg(not(mistake))]
pub fn layer() -> MetricsLayer {
    MetricsLayer::new().skip(|_method, uri| uri.path() == "/health")
}
