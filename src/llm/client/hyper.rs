//! hyper-util's client: its errors, and the bodies that are in memory.

use std::any::Any;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Error;

use crate::llm::call::failure::of_sources;
use crate::llm::usage::outcome::ErrorType;

pub(crate) fn failure(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    let error = error.downcast_ref::<Error>()?;
    of_sources(error).or(error.is_connect().then_some(ErrorType::Connect))
}

/// Returns a body that is in memory, which is another handle to the same bytes.
pub(crate) fn in_memory(body: &dyn Any) -> Option<Bytes> {
    let mut body = body.downcast_ref::<Full<Bytes>>()?.clone();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match http_body::Body::poll_frame(std::pin::Pin::new(&mut body), &mut context) {
        std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}
