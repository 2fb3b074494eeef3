//! The parts of a request and of its response that the user's closures get.

use std::borrow::Cow;
use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use crate::context::route_template;

/// A closure that returns a value for a request.
pub(super) type RequestFn = dyn Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync;
/// A closure that returns a value for a response.
pub(super) type ResponseFn = dyn Fn(&ResponseHead<'_>) -> Option<Cow<'static, str>> + Send + Sync;

/// A request without its body, as closures of a [`MetricsLayer`](crate::MetricsLayer) get it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target URI.
    pub uri: &'a Uri,
    /// The HTTP version.
    pub version: Version,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions, as outer layers left them.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    pub(super) fn from_request<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Returns the template of the route that axum's router matched, such as `/users/{id}`.
    /// Returns `None` if it matched no route, or if the layer sits outside the router.
    #[must_use]
    #[doc(alias = "MatchedPath")]
    pub fn route_template(&self) -> Option<&'a str> {
        route_template(self.extensions)
    }
}

/// Does not print the method, the URI and the headers, which may hold credentials. Print the
/// fields that you need.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("version", &self.version)
            .field("route_template", &self.route_template())
            .finish_non_exhaustive()
    }
}

/// A response without its body, as closures of a [`MetricsLayer`](crate::MetricsLayer) get it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The status code.
    pub status: StatusCode,
    /// The HTTP version.
    pub version: Version,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions, as the handler and inner layers left them.
    pub extensions: &'a Extensions,
}

impl<'a> ResponseHead<'a> {
    pub(super) fn from_response<B>(response: &'a Response<B>) -> Self {
        Self {
            status: response.status(),
            version: response.version(),
            headers: response.headers(),
            extensions: response.extensions(),
        }
    }
}

/// Does not print the headers, which may hold credentials. Print the fields that you need.
impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
