//! The body of a response, measured while it is read.

use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::llm::call::HttpCall;

pin_project! {
    /// The body of an LLM response. It forwards the frames of the client's body unchanged, and
    /// records the call when the body ends or is dropped.
    #[doc(alias = "streaming")]
    #[doc(alias = "sse")]
    pub struct LlmBody<B> {
        #[pin]
        inner: B,
        call: Option<Box<HttpCall>>,
    }
}

impl<B: Body> LlmBody<B> {
    pub(crate) fn new(inner: B, mut call: Option<Box<HttpCall>>) -> Self {
        if inner.is_end_stream()
            && let Some(mut call) = call.take()
        {
            call.on_end();
        }
        Self { inner, call }
    }
}

/// A body without a call. Other layers create it for their own responses, for example after a
/// timeout.
impl<B: Default> Default for LlmBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            call: None,
        }
    }
}

/// Does not print the client's body, which may hold the response.
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
        let Some(call) = this.call else {
            return this.inner.poll_frame(context);
        };
        let (polled, has_ended) = HttpCall::run_client(Some(&mut **call), || {
            let polled = this.inner.as_mut().poll_frame(context);
            // A caller that sees `is_end_stream` may not poll again.
            let has_ended = polled.is_ready() && this.inner.is_end_stream();
            (polled, has_ended)
        });
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    read_data(call, data);
                }
                if has_ended || frame.is_trailers() {
                    call.on_end();
                }
            }
            Some(Err(error)) => call.on_error(error),
            None => call.on_end(),
        }
        if has_ended || !matches!(&frame, Some(Ok(frame)) if frame.is_data()) {
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

/// Reads a frame's data without consuming it.
fn read_data(call: &mut HttpCall, data: &impl Buf) {
    if data.chunk().len() == data.remaining() {
        return call.on_data(data.chunk());
    }
    let mut slices = [IoSlice::new(&[]); 16];
    let filled = data.chunks_vectored(&mut slices);
    let slices = &slices[..filled];
    let len: usize = slices.iter().map(|slice| slice.len()).sum();
    if len == data.remaining() {
        for slice in slices {
            call.on_data(slice);
        }
    } else {
        call.skip_frame();
    }
}
