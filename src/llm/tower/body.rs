//! The body of an answer, read as it passes.

use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::llm::call::HttpCall;

pin_project! {
    /// An answer's body, passed on as it is, with its call in it.
    pub struct LlmBody<B> {
        #[pin]
        inner: B,
        call: Option<Box<HttpCall>>,
    }
}

impl<B: Body> LlmBody<B> {
    pub(crate) fn new(inner: B, mut call: Option<Box<HttpCall>>) -> Self {
        if inner.is_end_stream()
            && let Some(mut exchange) = call.take()
        {
            exchange.on_end();
        }
        Self { inner, call }
    }
}

/// A body of no call, which layers outside of this one make for answers of their own.
impl<B: Default> Default for LlmBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            call: None,
        }
    }
}

/// Without the client's body, which may hold the answer.
impl<B> fmt::Debug for LlmBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmBody")
            .field("is_measured", &self.call.is_some())
            .finish_non_exhaustive()
    }
}

impl<B> Body for LlmBody<B>
where
    B: Body,
    B::Error: 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(exchange) = this.call else {
            return this.inner.poll_frame(context);
        };
        exchange.enter_client();
        let polled = this.inner.as_mut().poll_frame(context);
        // Whoever asks the body whether it has ended may not poll again.
        let ended = polled.is_ready() && this.inner.is_end_stream();
        exchange.exit_client();
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    read_frame(exchange, data);
                }
                if ended || frame.is_trailers() {
                    exchange.on_end();
                }
            }
            Some(Err(error)) => exchange.on_error(error),
            None => exchange.on_end(),
        }
        if ended || !matches!(&frame, Some(Ok(frame)) if frame.is_data()) {
            *this.call = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a frame's data without taking it.
fn read_frame(exchange: &mut HttpCall, data: &impl Buf) {
    if data.chunk().len() == data.remaining() {
        return exchange.on_data(data.chunk());
    }
    let mut slices = [IoSlice::new(&[]); 16];
    let filled = data.chunks_vectored(&mut slices);
    let slices = &slices[..filled];
    let len: usize = slices.iter().map(|slice| slice.len()).sum();
    if len == data.remaining() {
        for slice in slices {
            exchange.on_data(slice);
        }
    } else {
        exchange.skip_frame();
    }
}
