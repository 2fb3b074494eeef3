//! The future of a measured call, up to the head of the answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::llm::call::HttpCall;
use crate::llm::tower::LlmResponse;

pin_project! {
    /// The future of an [`LlmService`](crate::llm::LlmService).
    pub struct LlmFuture<F> {
        #[pin]
        inner: F,
        call: Option<Box<HttpCall>>,
    }
}

impl<F> LlmFuture<F> {
    pub(crate) fn new(inner: F, call: Option<Box<HttpCall>>) -> Self {
        Self { inner, call }
    }
}

/// Without the client's future, whose URL and headers may have keys in them.
impl<F> fmt::Debug for LlmFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmFuture")
            .field("is_measured", &self.call.is_some())
            .finish_non_exhaustive()
    }
}

impl<F, R, E> Future for LlmFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: LlmResponse,
    E: 'static,
{
    type Output = Result<R::Measured, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(exchange) = this.call {
            exchange.enter_client();
        }
        let polled = this.inner.poll(context);
        if let Some(exchange) = this.call {
            exchange.exit_client();
        }
        let result = ready!(polled);
        let exchange = this.call.take();
        Poll::Ready(measured(result, exchange))
    }
}

/// Moves a call on into the answer's body, or ends it with the error.
fn measured<R: LlmResponse, E: 'static>(
    result: Result<R, E>,
    mut exchange: Option<Box<HttpCall>>,
) -> Result<R::Measured, E> {
    if let Some(exchange) = &mut exchange {
        match &result {
            Ok(response) => {
                let (status, headers) = response.head();
                exchange.on_head(status, headers);
            }
            Err(error) => exchange.on_error(error),
        }
    }
    Ok(result?.into_measured(exchange))
}
