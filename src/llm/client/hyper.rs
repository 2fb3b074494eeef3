//! In-memory request bodies of hyper-util's client.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;

/// Returns the bytes of a `Full<Bytes>`, without copying them.
pub(crate) fn in_memory_body(body: &dyn Any) -> Option<Bytes> {
    let mut body = body.downcast_ref::<Full<Bytes>>()?.clone();
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(&mut body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}
