//! The body of a measured request.

use std::fmt;
use std::num::NonZero;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::context::reveal_marker;
use crate::metric::Counter;

pin_project! {
    /// A request's body, passed on as it is, whose bytes are counted as the service
    /// takes them.
    ///
    /// See the [module](crate::middleware).
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        // What the layer's metrics are known as, if it counts the request: by this a
        // layer within knows the request again.
        marker: Option<NonZero<usize>>,
        // None of a body that has nothing to read.
        bytes: Option<Counter>,
    }
}

impl<B> RequestBody<B> {
    /// Wraps the body of a request that the layer counts.
    pub(super) fn new(inner: B, owner: usize, bytes: Option<Counter>) -> Self {
        let marker = NonZero::new(owner);
        Self {
            inner,
            marker,
            bytes,
        }
    }

    /// Wraps the body of a request that it does not count.
    pub(super) fn uncounted(inner: B) -> Self {
        Self {
            inner,
            marker: None,
            bytes: None,
        }
    }

    /// Returns the body itself; what is read from it then is not counted.
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
            bytes.inc_by(data.remaining());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        if let Some(owner) = self.marker {
            reveal_marker(owner.get());
        }
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
