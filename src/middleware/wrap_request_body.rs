//! A layer that wraps request bodies of any type.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use crate::middleware::future::ResponseFuture;
use crate::middleware::measurement::Measurement;
use crate::middleware::service_state::ServiceState;
use crate::middleware::{MetricsLayer, RequestBody, ResponseBody};

/// A [`MetricsLayer`] that wraps request bodies of any type, made by
/// [`MetricsLayer::wrap_request_body`].
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct WrapRequestBodyLayer(MetricsLayer);

impl WrapRequestBodyLayer {
    pub(super) fn new(layer: MetricsLayer) -> Self {
        Self(layer)
    }
}

impl<S> Layer<S> for WrapRequestBodyLayer {
    type Service = WrapRequestBodyService<S>;

    /// Wraps a service.
    ///
    /// # Panics
    ///
    /// As that of [`MetricsLayer`].
    fn layer(&self, inner: S) -> Self::Service {
        WrapRequestBodyService {
            inner,
            state: self.0.service_state(),
        }
    }
}

/// A service whose requests are measured, made by [`WrapRequestBodyLayer`].
#[derive(Clone)]
pub struct WrapRequestBodyService<S> {
    inner: S,
    /// `None` if the layer is switched off.
    state: Option<Arc<ServiceState>>,
}

/// Does not print the inner service, which may hold credentials.
impl<S> fmt::Debug for WrapRequestBodyService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapRequestBodyService")
            .finish_non_exhaustive()
    }
}

impl<S, Q, R> Service<Request<Q>> for WrapRequestBodyService<S>
where
    S: Service<Request<RequestBody<Q>>, Response = Response<R>>,
    Q: Body + 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (mut measurement, request) = Measurement::start_with_body(self.state.as_ref(), request);
        let guard = measurement.enter();
        let future = self.inner.call(request);
        measurement.exit(guard);
        ResponseFuture::new(future, measurement)
    }
}
