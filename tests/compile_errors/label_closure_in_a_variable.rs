//! A closure for a label that is kept in a variable first.
//~ lifetime may not live long enough

use axum::http::request::Parts;
use tachometer::MetricsLayer;

#[cfg(mistake)]
pub fn layer() -> MetricsLayer {
    let tenant = |request: &Parts| Some(request.headers.get("x-tenant")?.to_str().ok()?.into());
    MetricsLayer::new().label_from_request("tenant", tenant)
}

#[cfg(not(mistake))]
pub fn layer() -> MetricsLayer {
    MetricsLayer::new().label_from_request("tenant", |request| {
        Some(request.headers.get("x-tenant")?.to_str().ok()?.into())
    })
}
