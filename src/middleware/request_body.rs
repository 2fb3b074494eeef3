//! The body of a measured request.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::middleware::request_bytes::RequestBytes;

pin_project! {
    /// The body of a request behind
    /// [`MetricsLayer::wrap_request_body`](crate::MetricsLayer::wrap_request_body). It passes
    /// frames on unchanged, and counts the bytes that the service reads.
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        // `None` for an empty body, and if the layer does not count the request.
        bytes: Option<RequestBytes>,
    }
}

impl<B> RequestBody<B> {
    pub(super) fn new(inner: B, bytes: Option<RequestBytes>) -> Self {
        Self { inner, bytes }
    }

    /// Returns the wrapped body. Bytes that are read from it are not counted.
    pub fn into_inner(self) -> B {
        self.inner
    }
}

/// Does not print the body.
impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").finish_non_exhaustive()
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        if let (Some(Ok(frame)), Some(bytes)) = (&frame, this.bytes)
            && let Some(data) = frame.data_ref()
        {
            bytes.add(data.remaining());
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
