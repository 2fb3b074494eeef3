//! hyper-util's client: bodies that are in memory.

use std::any::Any;

use bytes::Bytes;
use http_body_util::Full;

/// Returns a body that is in memory, which is another handle to the same bytes.
pub(crate) fn in_memory_body(body: &dyn Any) -> Option<Bytes> {
    let mut body = body.downcast_ref::<Full<Bytes>>()?.clone();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match http_body::Body::poll_frame(std::pin::Pin::new(&mut body), &mut context) {
        std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}
