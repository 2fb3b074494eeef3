//! Traits of the supported request and response types.

use http::{HeaderMap, StatusCode};

use crate::llm::call::HttpCall;
use crate::llm::metrics::LlmMetrics;

/// A request that may be an LLM call.
///
/// It is implemented for [`http::Request`] and, with the feature `reqwest`, for
/// `reqwest::Request`. Other crates cannot implement it.
pub trait LlmRequest {
    /// Starts a call if the request is an LLM call.
    #[doc(hidden)]
    fn start_call(&self, metrics: &LlmMetrics) -> Option<Box<HttpCall>>;
}

/// A response that may be the response of an LLM call.
///
/// It is implemented for [`http::Response`] and, with the feature `reqwest`, for
/// `reqwest::Response`. Other crates cannot implement it.
pub trait LlmResponse: Sized {
    /// The response with a body that is measured while it is read.
    type Measured;

    #[doc(hidden)]
    fn head(&self) -> (StatusCode, &HeaderMap);

    /// Moves the call, if there is one, into the response's body.
    #[doc(hidden)]
    fn into_measured(self, call: Option<Box<HttpCall>>) -> Self::Measured;
}
