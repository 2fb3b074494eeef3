//! The future of a measured call, up to the head of the response.

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

/// Does not print the client's future, whose URL and headers may hold keys.
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
        let inner = this.inner;
        let polled = HttpCall::run_client(this.call.as_deref_mut(), || inner.poll(context));
        let result = ready!(polled);
        let call = this.call.take();
        Poll::Ready(attach_call(result, call))
    }
}

/// Moves a call into the response's body, or ends it with the error.
fn attach_call<R: LlmResponse, E: 'static>(
    result: Result<R, E>,
    mut call: Option<Box<HttpCall>>,
) -> Result<R::Measured, E> {
    if let Some(call) = &mut call {
        match &result {
            Ok(response) => {
                let (status, headers) = response.head();
                call.on_head(status, headers);
            }
            Err(error) => call.on_error(error),
        }
    }
    Ok(result?.into_measured(call))
}
