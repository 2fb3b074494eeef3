//! A function for a label whose result borrows nothing.
//~ one type is more general than the other

use std::borrow::Cow;

use axum::http::request::Parts;
use tachometer::MetricsLayer;

#[cfg(mistake)]
fn tenant(request: &Parts) -> Option<Cow<'static, str>> {
    Some(
        request
            .headers
            .get("x-tenant")?
            .to_str()
            .ok()?
            .to_owned()
            .into(),
    )
}

#[cfg(not(mistake))]
fn tenant(request: &Parts) -> Option<Cow<'_, str>> {
    Some(request.headers.get("x-tenant")?.to_str().ok()?.into())
}

pub fn layer() -> MetricsLayer {
    MetricsLayer::new().label_from_request("tenant", tenant)
}
