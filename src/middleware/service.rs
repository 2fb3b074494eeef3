//! The service that the layer makes.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::Service;

use crate::context::Incoming;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::record::Record;
use crate::middleware::{RequestBody, ResponseBody, ResponseFuture};

/// A service whose requests are measured. See the [module](crate::middleware).
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

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let owner = self.metrics.metrics_id();
        let arrival = Incoming::inspect(owner, &request);
        let mut record = Record::start(&self.metrics, arrival, &mut request);
        let request = request.map(|body| match &record {
            Some(record) if !arrival.is_body_empty => {
                RequestBody::new(body, owner, record.request_bytes())
            }
            Some(_) => RequestBody::new(body, owner, None),
            None => RequestBody::uncounted(body),
        });
        let working = record.as_mut().map(Record::enter_service);
        // The very service that was polled ready, not a clone of it.
        let inner = self.inner.call(request);
        if let (Some(record), Some((working, _))) = (&mut record, working) {
            record.exit_service(&working);
        }
        ResponseFuture::new(inner, record)
    }
}
