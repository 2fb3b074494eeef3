//! The closures of the user that the layer calls.

use std::borrow::Cow;

use http::{request, response};

/// A closure that returns a value for a request.
pub(super) type RequestFn = dyn Fn(&request::Parts) -> Option<Cow<'static, str>> + Send + Sync;
/// A closure that returns a value for a response.
pub(super) type ResponseFn = dyn Fn(&response::Parts) -> Option<Cow<'static, str>> + Send + Sync;
