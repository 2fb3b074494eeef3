//! The closures of the user that the layer calls.

use std::borrow::Cow;

use http::{request, response};

/// A closure that returns a text for a request, which it may borrow from the request.
pub(super) type RequestFn = dyn Fn(&request::Parts) -> Option<Cow<'_, str>> + Send + Sync;
/// A closure that returns a text for a response, which it may borrow from the response.
pub(super) type ResponseFn = dyn Fn(&response::Parts) -> Option<Cow<'_, str>> + Send + Sync;
