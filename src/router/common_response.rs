//! What all responses of the router have in common.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::response::Response;
use tower::util::MapResponseLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::context::Unmeasured;

/// Adds the headers that every response has, and excludes it from request metrics.
pub(super) type CommonResponseLayer = (
    MapResponseLayer<fn(Response) -> Response>,
    SetResponseHeaderLayer<HeaderValue>,
    SetResponseHeaderLayer<HeaderValue>,
);

/// Returns the outermost layer of the router. It also sees the responses that the router's other
/// layers return instead of calling a route.
pub(super) fn common_response_layer() -> CommonResponseLayer {
    let nosniff = HeaderValue::from_static("nosniff");
    let no_store = HeaderValue::from_static("no-store");
    (
        MapResponseLayer::new(exclude_from_metrics),
        SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, nosniff),
        // Static files have another value.
        SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, no_store),
    )
}

fn exclude_from_metrics(mut response: Response) -> Response {
    response.extensions_mut().insert(Unmeasured);
    response
}
