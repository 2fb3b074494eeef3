//! axum's `Body`: recognized in a request of any type, and wrapped without a change of type.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::middleware::request_body::RequestBody;
use crate::middleware::request_bytes::RequestBytes;

/// Wraps a request's body if it is axum's, so that its bytes are counted. Returns false for a
/// body of another type.
///
/// An empty body is not wrapped. The type of the body is known when this is compiled, so
/// nothing remains of the comparison.
#[inline]
pub(super) fn count_bytes<B: 'static>(body: &mut B, bytes: impl FnOnce() -> RequestBytes) -> bool {
    let body: &mut dyn Any = body;
    let Some(body) = body.downcast_mut::<axum::body::Body>() else {
        return false;
    };
    if !body.is_end_stream() && body.size_hint().exact() != Some(0) {
        let inner = std::mem::take(body);
        *body = boxed(RequestBody::new(inner, Some(bytes())));
    }
    true
}

/// Returns axum's `Body` of a body that wraps another, with the same errors.
pub(super) fn boxed<B>(body: B) -> axum::body::Body
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    axum::body::Body::new(Unnested { inner: body })
}

pin_project! {
    /// A body whose errors are those that an `axum::Error` contains.
    ///
    /// `axum::body::Body::new` puts each error into a new `axum::Error`. Without this, an error
    /// would be one level deeper in the chain of sources, and code that looks for it would not
    /// find it there.
    struct Unnested<B> {
        #[pin]
        inner: B,
    }
}

impl<B> Body for Unnested<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let polled = self.project().inner.poll_frame(context);
        polled.map(|frame| frame.map(|frame| frame.map_err(unnest)))
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn unnest(error: impl Into<BoxError>) -> BoxError {
    match error.into().downcast::<axum::Error>() {
        Ok(error) => error.into_inner(),
        Err(error) => error,
    }
}
