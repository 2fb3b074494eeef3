//! The route of a request.

#[cfg(feature = "axum")]
use axum::extract::MatchedPath;
use http::Extensions;

/// The route of a request that matched none, or of which no one knows the route.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Returns a request's route template, as axum's router left it in the extensions;
/// never a path that a client wrote.
#[cfg(feature = "axum")]
pub(crate) fn route_template(extensions: &Extensions) -> Option<&str> {
    extensions.get().map(MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn template(_extensions: &Extensions) -> Option<&str> {
    None
}
