//! Headers of every response of the router.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::response::Response;

use crate::context::Unmeasured;

/// Adds the headers that every response has, and excludes it from request metrics.
///
/// Static files set their own `Cache-Control`.
pub(super) fn set_common_headers(mut response: Response) -> Response {
    response.extensions_mut().insert(Unmeasured);
    let headers = response.headers_mut();
    let cache_control = headers.entry(CACHE_CONTROL);
    cache_control.or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
