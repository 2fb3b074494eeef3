//! What a request is called in the layer's labels: only values of closed sets,
//! or of the router's own templates, never what a client wrote.

#[cfg(feature = "axum")]
use axum::extract::MatchedPath;
use http::{Extensions, Method};

/// The route of a request that matched none, or of which no one knows the route.
const UNMATCHED: &str = "unmatched";

/// Returns the method's name if it is one of HTTP's nine, or `_OTHER`.
pub(super) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// A request's route template, as the router left it in the extensions.
#[derive(Debug)]
pub(super) struct Route(
    // A clone shares the router's own text.
    #[cfg(feature = "axum")] Option<MatchedPath>,
);

impl Route {
    #[cfg(feature = "axum")]
    pub(super) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get().cloned())
    }

    #[cfg(not(feature = "axum"))]
    pub(super) fn of(_extensions: &Extensions) -> Self {
        Self()
    }

    #[cfg(feature = "axum")]
    pub(super) fn as_str(&self) -> &str {
        self.0.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }

    #[cfg(not(feature = "axum"))]
    #[expect(clippy::unused_self, reason = "it has a template where there is axum")]
    pub(super) fn as_str(&self) -> &str {
        UNMATCHED
    }
}
