//! A layer whose responses are axum's.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::routing::IntoMakeService;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::middleware::MetricsLayer;
use crate::middleware::body::ResponseBody;
use crate::middleware::measurement::Measurement;
use crate::middleware::service_state::ServiceState;

/// A [`MetricsLayer`] whose responses have axum's `Body`, made by [`MetricsLayer::boxed`].
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct BoxedMetricsLayer(MetricsLayer);

impl BoxedMetricsLayer {
    pub(super) fn new(layer: MetricsLayer) -> Self {
        Self(layer)
    }
}

impl<S> Layer<S> for BoxedMetricsLayer {
    type Service = BoxedMetricsService<S>;

    /// Wraps a service.
    ///
    /// # Panics
    ///
    /// As that of [`MetricsLayer`].
    fn layer(&self, inner: S) -> Self::Service {
        BoxedMetricsService::new(inner, self.0.service_state())
    }
}

/// A service whose requests are measured and whose responses are axum's, made by
/// [`BoxedMetricsLayer`].
#[derive(Clone)]
pub struct BoxedMetricsService<S> {
    inner: S,
    /// `None` if the layer is switched off.
    state: Option<Arc<ServiceState>>,
}

impl<S> BoxedMetricsService<S> {
    pub(super) fn new(inner: S, state: Option<Arc<ServiceState>>) -> Self {
        Self { inner, state }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    pub(super) fn state(&self) -> Option<&Arc<ServiceState>> {
        self.state.as_ref()
    }

    /// Returns what `axum::serve` takes. Around a `Router`, `axum::serve` also takes the service
    /// itself.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use tachometer::MetricsLayer;
    /// use tower::Layer;
    ///
    /// # async fn run() -> std::io::Result<()> {
    /// let app: Router = Router::new()
    ///     .route("/users/{id}", get(async || "a user"))
    ///     .layer(MetricsLayer::new())
    ///     .with_state(());
    /// let app = MetricsLayer::new().boxed().layer(app);
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// axum::serve(listener, app.into_make_service()).await
    /// # }
    /// ```
    ///
    /// Call `with_state` on a `Router` first. Otherwise it applies its layers for each request.
    pub fn into_make_service(self) -> IntoMakeService<Self>
    where
        Self: Service<axum::extract::Request>,
    {
        axum::ServiceExt::into_make_service(self)
    }

    /// Returns what `axum::serve` takes, and makes the peer address available as
    /// `ConnectInfo<C>`.
    pub fn into_make_service_with_connect_info<C>(self) -> IntoMakeServiceWithConnectInfo<Self, C>
    where
        Self: Service<axum::extract::Request>,
    {
        axum::ServiceExt::into_make_service_with_connect_info(self)
    }
}

/// Does not print the inner service, which may hold credentials.
impl<S> fmt::Debug for BoxedMetricsService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedMetricsService")
            .finish_non_exhaustive()
    }
}

impl<S, Q, R> Service<Request<Q>> for BoxedMetricsService<S>
where
    S: Service<Request<Q>, Response = Response<R>>,
    Q: 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<axum::body::Body>;
    type Error = S::Error;
    type Future = BoxedResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let mut measurement = Measurement::start(self.state.as_ref(), &mut request);
        let guard = measurement.enter();
        let inner = self.inner.call(request);
        measurement.exit(guard);
        BoxedResponseFuture { inner, measurement }
    }
}

pin_project! {
    /// The future of a [`BoxedMetricsService`].
    #[must_use = "a future does nothing until it is polled"]
    pub struct BoxedResponseFuture<F> {
        #[pin]
        inner: F,
        measurement: Measurement,
    }
}

/// Does not print the service's future, which may hold the whole request.
impl<F> fmt::Debug for BoxedResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedResponseFuture")
            .finish_non_exhaustive()
    }
}

impl<F, R, E> Future for BoxedResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<axum::body::Body>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let guard = this.measurement.enter();
        let polled = this.inner.poll(context);
        this.measurement.exit(guard);
        Poll::Ready(match ready!(polled) {
            Ok(response) => Ok(ResponseBody::wrap_boxed(
                response,
                this.measurement.take_record(),
            )),
            Err(error) => {
                this.measurement.fail();
                Err(error)
            }
        })
    }
}
