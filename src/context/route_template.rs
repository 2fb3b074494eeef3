//! The route that axum's router found for a request.

#[cfg(feature = "axum")]
use axum::extract::{MatchedPath, NestedPath};
use http::Extensions;

/// The route of requests that nothing in the application matched.
pub(crate) const UNMATCHED: &str = "unmatched";

/// How a layer knows the route of a request, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RouteKind {
    /// Nothing is known.
    Unmatched,
    /// The name of the service, which may have routes that only a layer inside sees.
    Placeholder,
    /// The template, or a name that the user's closure returned.
    Named,
}

/// Returns the route template that axum's router left in a request's extensions. It is
/// never a path that a client wrote.
#[cfg(feature = "axum")]
#[inline]
pub(crate) fn route_template(extensions: &Extensions) -> Option<&str> {
    extensions.get().map(MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn route_template(_extensions: &Extensions) -> Option<&str> {
    None
}

/// Returns where the router that calls a layer is nested in other routers, or an empty text.
#[cfg(feature = "axum")]
pub(crate) fn outer_nest(extensions: &Extensions) -> &str {
    extensions.get().map_or("", NestedPath::as_str)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn outer_nest(_extensions: &Extensions) -> &'static str {
    ""
}

#[cfg(not(feature = "axum"))]
pub(crate) fn nest_prefix(_extensions: &Extensions) -> Option<String> {
    None
}
