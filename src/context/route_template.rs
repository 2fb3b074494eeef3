//! The route template that axum's router found for a request.

#[cfg(feature = "axum")]
use axum::extract::MatchedPath;
use http::Extensions;

/// The route of requests that matched no route, or whose route is not known.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Returns the route template that axum's router left in a request's extensions. It is
/// never a path that a client wrote.
#[cfg(feature = "axum")]
pub(crate) fn route_template(extensions: &Extensions) -> Option<&str> {
    extensions.get().map(MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn route_template(_extensions: &Extensions) -> Option<&str> {
    None
}
