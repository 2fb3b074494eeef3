//! The service that the layer makes.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::Service;

use crate::context::is_counted;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::record::Record;
use crate::middleware::{RequestBody, ResponseBody, ResponseFuture};

/// A service whose requests are measured. See the [module](crate::middleware).
#[derive(Debug, Clone)]
pub struct MetricsService<S> {
    inner: S,
    metrics: Arc<HttpMetrics>,
}

impl<S> MetricsService<S> {
    pub(super) fn new(inner: S, metrics: Arc<HttpMetrics>) -> Self {
        Self { inner, metrics }
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

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let metrics = &self.metrics;
        let counted = is_counted(metrics.owner(), request.extensions());
        let skipped = metrics.skip.covers(request.method(), request.uri());
        let measured = !counted && !skipped;
        let mut record = measured.then(|| Record::start(Arc::clone(metrics), &mut request));
        let reads = record.as_ref().filter(|_| !request.body().is_end_stream());
        let bytes = reads.map(Record::request_bytes);
        let request = request.map(|body| RequestBody::new(body, bytes));
        // The very service that was polled ready, not a clone of it.
        let inner = Record::run_within(&mut record, || self.inner.call(request));
        ResponseFuture::new(inner, record)
    }
}
