//! Traits of the supported request and response types.

use http::{HeaderMap, StatusCode};

use crate::llm::call::HttpCall;
use crate::llm::metrics::LlmMetrics;

/// A request that may be an LLM call.
///
/// It is implemented for [`http::Request`] and, with the feature `reqwest`, for
/// `reqwest::Request`. Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`LlmLayer` does not measure requests of the type `{Self}`",
    label = "expected `http::Request` or, with the feature `reqwest`, `reqwest::Request`",
    note = "for async-openai there is `LlmLayer::async_openai`, for reqwest-middleware `LlmLayer::middleware`",
    note = "calls of any other client can be recorded with `LlmLayer::start_call`"
)]
pub trait LlmRequest {
    /// Starts a call if the request is an LLM call.
    #[doc(hidden)]
    fn start_call(&self, metrics: &LlmMetrics) -> Option<Box<HttpCall>>;
}

/// A response that may be the response of an LLM call.
///
/// It is implemented for [`http::Response`] and, with the feature `reqwest`, for
/// `reqwest::Response`. Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`LlmLayer` does not measure responses of the type `{Self}`",
    label = "expected `http::Response` or, with the feature `reqwest`, `reqwest::Response`",
    note = "calls of any other client can be recorded with `LlmLayer::start_call`"
)]
pub trait LlmResponse: Sized {
    /// The response with a body that is measured while it is read.
    type Measured;

    #[doc(hidden)]
    fn head(&self) -> (StatusCode, &HeaderMap);

    /// Moves the call, if there is one, into the response's body.
    #[doc(hidden)]
    fn into_measured(self, call: Option<Box<HttpCall>>) -> Self::Measured;
}
