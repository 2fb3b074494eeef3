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
    /// The body of a measured request. It passes frames on unchanged, and counts the bytes that
    /// the service reads.
    ///
    /// See the [module](crate::middleware).
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        // The id of the layer's metrics, if the layer counts the request. Inner layers of the
        // same metrics look for it.
        marker: Option<NonZero<usize>>,
        // `None` for an empty body.
        bytes: Option<Counter>,
    }
}

impl<B> RequestBody<B> {
    /// Wraps the body of a request that the layer of these metrics counts.
    pub(super) fn new(inner: B, metrics_id: usize, bytes: Option<Counter>) -> Self {
        let marker = NonZero::new(metrics_id);
        Self {
            inner,
            marker,
            bytes,
        }
    }

    /// Wraps the body of a request that the layer does not count.
    pub(super) fn uncounted(inner: B) -> Self {
        Self {
            inner,
            marker: None,
            bytes: None,
        }
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
            bytes.inc_by(data.remaining());
        }
        Poll::Ready(frame)
    }

    /// Also answers an inner layer that searches for the marker, as a side effect: this call
    /// reaches the body through any body that wraps it.
    fn is_end_stream(&self) -> bool {
        if let Some(marker) = self.marker {
            reveal_marker(marker.get());
        }
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
