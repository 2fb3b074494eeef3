//! The route of a request.

#[cfg(feature = "axum")]
use axum::extract::MatchedPath;
use http::Extensions;

/// The route of a request that matched none, or of which no one knows the route.
const UNMATCHED: &str = "unmatched";

/// A request's route template, as the router left it in the extensions; never a
/// path that a client wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route(
    // A clone shares the router's own text.
    #[cfg(feature = "axum")] Option<MatchedPath>,
);

impl Route {
    #[cfg(feature = "axum")]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get().cloned())
    }

    #[cfg(not(feature = "axum"))]
    pub(crate) fn of(_extensions: &Extensions) -> Self {
        Self()
    }

    #[cfg(feature = "axum")]
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }

    #[cfg(not(feature = "axum"))]
    #[expect(clippy::unused_self, reason = "it has a template where there is axum")]
    pub(crate) fn as_str(&self) -> &str {
        UNMATCHED
    }

    /// Returns true when the request matched no route, as far as is known here.
    #[cfg(feature = "axum")]
    pub(crate) fn is_unmatched(&self) -> bool {
        self.0.is_none()
    }

    #[cfg(not(feature = "axum"))]
    #[expect(clippy::unused_self, reason = "it has a template where there is axum")]
    pub(crate) fn is_unmatched(&self) -> bool {
        true
    }
}
