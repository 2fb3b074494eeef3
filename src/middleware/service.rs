//! The service that the layer makes.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::Service;

use crate::context::Incoming;
use crate::middleware::future::ResponseFuture;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::record::Record;
use crate::middleware::{RequestBody, ResponseBody};

/// A service whose requests are measured, made by
/// [`MetricsLayer`](crate::MetricsLayer). See the [module](crate::middleware).
#[derive(Clone)]
pub struct MetricsService<S> {
    inner: S,
    metrics: Arc<HttpMetrics>,
}

impl<S> MetricsService<S> {
    pub(super) fn new(inner: S, metrics: Arc<HttpMetrics>) -> Self {
        Self { inner, metrics }
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
    S: Service<Request<RequestBody<Q>>, Response = Response<R>>,
    Q: Body,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let metrics_id = self.metrics.metrics_id();
        let incoming = Incoming::inspect(metrics_id, &request);
        let (mut parts, body) = request.into_parts();
        let mut record = Record::start(&self.metrics, incoming, &mut parts);
        let body = match &record {
            Some(record) if !incoming.is_body_empty => {
                RequestBody::new(body, metrics_id, record.request_bytes())
            }
            Some(_) => RequestBody::new(body, metrics_id, None),
            None => RequestBody::uncounted(body),
        };
        let request = Request::from_parts(parts, body);
        // On the service that was polled ready, and not on a clone of it.
        let future = Record::run_service(record.as_mut(), || self.inner.call(request));
        ResponseFuture::new(future, record)
    }
}
