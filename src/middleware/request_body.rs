//! The body of a measured request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::metric::Counter;

pin_project! {
    /// A request's body, passed on as it is, whose bytes are counted as the service
    /// takes them.
    ///
    /// See the [module](crate::middleware).
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        // None of a body that has nothing to read.
        bytes: Option<Counter>,
    }
}

impl<B> RequestBody<B> {
    pub(super) fn new(inner: B, bytes: Option<Counter>) -> Self {
        Self { inner, bytes }
    }

    /// Returns the body itself; what is read from it then is not counted.
    pub fn into_inner(self) -> B {
        self.inner
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
            bytes.inc_by(data.remaining());
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
