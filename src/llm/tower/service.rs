//! A client whose LLM calls are measured.

use std::fmt;
use std::task::{Context, Poll};

use tower::Service;

use crate::llm::call::HttpCall;
use crate::llm::metrics::LlmMetrics;
use crate::llm::tower::{LlmFuture, LlmRequest, LlmResponse};

/// A client wrapped by an [`LlmLayer`](crate::llm::LlmLayer).
#[derive(Clone)]
pub struct LlmService<S> {
    client: S,
    metrics: LlmMetrics,
}

impl<S> LlmService<S> {
    pub(crate) fn new(client: S, metrics: LlmMetrics) -> Self {
        Self { client, metrics }
    }

    /// Returns the wrapped client, for example to build requests. Requests that are sent through it
    /// directly are not measured.
    pub fn get_ref(&self) -> &S {
        &self.client
    }
}

/// Does not print the client, whose headers may hold keys.
impl<S> fmt::Debug for LlmService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmService")
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

impl<S, R> Service<R> for LlmService<S>
where
    S: Service<R>,
    S::Response: LlmResponse,
    S::Error: 'static,
    R: LlmRequest,
{
    type Response = <S::Response as LlmResponse>::Measured;
    type Error = S::Error;
    type Future = LlmFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.client.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let mut call = request.start_call(&self.metrics);
        let future = HttpCall::run_client(call.as_deref_mut(), || self.client.call(request));
        LlmFuture::new(future, call)
    }
}
