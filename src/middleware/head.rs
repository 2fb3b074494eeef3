//! What the user's closures are shown of a request and of its response.

use std::borrow::Cow;
use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use crate::context::route_template;

/// A closure that makes a value of a request.
pub(super) type RequestFn = dyn Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync;
/// A closure that makes a value of a response.
pub(super) type ResponseFn = dyn Fn(&ResponseHead<'_>) -> Option<Cow<'static, str>> + Send + Sync;

/// A request without its body.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// What is to be done.
    pub method: &'a Method,
    /// What it is to be done to.
    pub uri: &'a Uri,
    /// The version of HTTP.
    pub version: Version,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What layers further out have left.
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

    /// Returns the template of the route that axum's router has found, if it has:
    /// `/users/{id}`.
    #[must_use]
    pub fn route_template(&self) -> Option<&'a str> {
        route_template(self.extensions)
    }
}

/// Prints neither the method nor the URI nor the headers: they may hold credentials. Print
/// the fields that you need.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("version", &self.version)
            .field("template", &self.route_template())
            .finish_non_exhaustive()
    }
}

/// A response without its body.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// How it went.
    pub status: StatusCode,
    /// The version of HTTP.
    pub version: Version,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What the handler and layers further in have left.
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

/// Does not print the headers: they may hold credentials. Print the fields that you need.
impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
