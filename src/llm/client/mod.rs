//! The clients that a layer fits: one file for each.

#[cfg(feature = "async-openai")]
mod async_openai;
mod http;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;

use ::http::{HeaderMap, StatusCode};

use crate::llm::call::failure::{Known, of_std};
use crate::llm::call::http_call::Exchange;
use crate::llm::metrics::handle::LlmMetrics;

#[cfg(feature = "async-openai")]
pub use async_openai::AsyncOpenAi;
#[cfg(feature = "reqwest-middleware")]
pub use reqwest_middleware::LlmMiddleware;

/// A request that may be a call of an LLM.
///
/// It is that of the `http` crate, and reqwest's with the feature `reqwest`; nothing else
/// can be one.
pub trait LlmRequest {
    /// Begins a call, if it is one.
    #[doc(hidden)]
    fn exchange(&self, metrics: &LlmMetrics) -> Option<Box<Exchange>>;
}

/// A response that may be an answer of an LLM.
///
/// It is that of the `http` crate, and reqwest's with the feature `reqwest`; nothing else
/// can be one.
pub trait LlmResponse: Sized {
    /// The response with its body read as it passes.
    type Measured;

    #[doc(hidden)]
    fn head(&self) -> (StatusCode, &HeaderMap);

    /// Moves a call into the body, if this answers one.
    #[doc(hidden)]
    fn measured(self, exchange: Option<Box<Exchange>>) -> Self::Measured;
}

/// What the clients' errors are.
pub(crate) const FAILURES: &[Known] = &[
    of_std,
    #[cfg(feature = "reqwest")]
    reqwest::failure,
    #[cfg(feature = "reqwest-middleware")]
    reqwest_middleware::failure,
    #[cfg(feature = "hyper-util")]
    hyper::failure,
];
