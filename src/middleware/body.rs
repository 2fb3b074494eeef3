//! The body of a measured response.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

#[cfg(feature = "axum")]
use crate::middleware::axum_body::boxed;
use crate::middleware::outcome::Outcome;
use crate::middleware::record::Record;
use crate::middleware::remaining_body::RemainingBody;

pin_project! {
    /// The body of a measured response. It passes frames on unchanged, and counts their bytes.
    ///
    /// See the [module](crate::middleware).
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        record: Option<Record>,
        remaining: RemainingBody,
    }
}

impl<B: Body> ResponseBody<B> {
    #[inline]
    pub(super) fn wrap(mut response: Response<B>, record: Option<Record>) -> Response<Self> {
        let (record, remaining) = start_body(record, &mut response);
        response.map(|inner| Self {
            inner,
            record,
            remaining,
        })
    }

    /// Wraps the body as axum's. A response that has ended with its head keeps its body.
    #[cfg(feature = "axum")]
    #[inline]
    pub(super) fn wrap_boxed(
        mut response: Response<B>,
        record: Option<Record>,
    ) -> Response<axum::body::Body>
    where
        B: Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (record, remaining) = start_body(record, &mut response);
        response.map(|inner| match record {
            None => axum::body::Body::new(inner),
            Some(_) => boxed(Self {
                inner,
                record,
                remaining,
            }),
        })
    }
}

/// Records the head of a response. Ends the record if no body is to come.
#[inline]
fn start_body<B: Body>(
    mut record: Option<Record>,
    response: &mut Response<B>,
) -> (Option<Record>, RemainingBody) {
    let remaining = match &mut record {
        Some(record) => record.on_head(response),
        None => RemainingBody::Nothing,
    };
    if remaining == RemainingBody::Nothing
        && let Some(record) = record.take()
    {
        record.finish();
    }
    (record, remaining)
}

/// An unmeasured body, for outer layers that make responses themselves, such as a timeout
/// layer.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: B::default(),
            record: None,
            remaining: RemainingBody::Nothing,
        }
    }
}

/// Prints neither the body nor anything of the request.
impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(record) = this.record else {
            return this.inner.poll_frame(context);
        };
        let guard = record.enter();
        let polled = this.inner.as_mut().poll_frame(context);
        record.exit_body(guard);
        let frame = ready!(polled);
        if let Some(Ok(frame)) = &frame {
            if let Some(data) = frame.data_ref() {
                let bytes = data.remaining();
                this.remaining.subtract(bytes);
                record.add_response_bytes(bytes);
            } else if let Some(trailers) = frame.trailers_ref() {
                record.on_trailers(trailers);
            }
        }
        // Trailers are the last frame, and hyper polls for no further one.
        let is_last = match &frame {
            Some(Ok(frame)) => {
                let is_complete =
                    *this.remaining == RemainingBody::Nothing && record.on_body_sent();
                is_complete || frame.is_trailers() || {
                    // A server that checks `is_end_stream` may not poll again.
                    let guard = record.enter();
                    let is_end_stream = this.inner.is_end_stream();
                    record.exit_body(guard);
                    is_end_stream
                }
            }
            Some(Err(_)) | None => true,
        };
        if is_last && let Some(record) = this.record.take() {
            // A body that ends before its declared length has failed: hyper, too, aborts the
            // connection then.
            let is_short = matches!(this.remaining, RemainingBody::Bytes(_));
            if is_short || matches!(frame, Some(Err(_))) {
                record.finish_with(Outcome::BodyError);
            } else {
                record.finish();
            }
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
