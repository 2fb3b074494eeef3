//! The future that a measured service returns.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::middleware::ResponseBody;
use crate::middleware::measurement::Measurement;

pin_project! {
    /// The future of a [`MetricsService`](crate::middleware::MetricsService). See the
    /// [module](crate::middleware).
    #[must_use = "a future does nothing until it is polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        measurement: Measurement,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, measurement: Measurement) -> Self {
        Self { inner, measurement }
    }
}

/// Does not print the service's future, which may hold the whole request.
impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let guard = this.measurement.enter();
        let polled = this.inner.poll(context);
        this.measurement.exit(guard);
        Poll::Ready(match ready!(polled) {
            Ok(response) => Ok(ResponseBody::wrap(response, this.measurement.take_record())),
            Err(error) => {
                this.measurement.fail();
                Err(error)
            }
        })
    }
}
