//! The service that the layer makes.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::Service;

use crate::middleware::ResponseBody;
use crate::middleware::future::ResponseFuture;
use crate::middleware::measurement::Measurement;
use crate::middleware::service_state::ServiceState;

/// A service whose requests are measured, made by
/// [`MetricsLayer`](crate::MetricsLayer). See the [module](crate::middleware).
#[derive(Clone)]
pub struct MetricsService<S> {
    inner: S,
    /// `None` if the layer is switched off.
    state: Option<Arc<ServiceState>>,
}

impl<S> MetricsService<S> {
    pub(super) fn new(inner: S, state: Option<Arc<ServiceState>>) -> Self {
        Self { inner, state }
    }

    #[cfg(feature = "axum")]
    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    #[cfg(feature = "axum")]
    pub(super) fn state(&self) -> Option<&Arc<ServiceState>> {
        self.state.as_ref()
    }
}

/// Does not print the inner service, which may hold credentials.
impl<S> fmt::Debug for MetricsService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsService").finish_non_exhaustive()
    }
}

impl<S, Q, R> Service<Request<Q>> for MetricsService<S>
where
    S: Service<Request<Q>, Response = Response<R>>,
    Q: 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let mut measurement = Measurement::start(self.state.as_ref(), &mut request);
        let guard = measurement.enter();
        // On the service that was polled ready, and not on a clone of it.
        let future = self.inner.call(request);
        measurement.exit(guard);
        ResponseFuture::new(future, measurement)
    }
}
