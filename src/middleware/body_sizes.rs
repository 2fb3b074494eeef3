//! The sizes of request and response bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use crate::metric::{DynFamily, Histogram};
use crate::middleware::endpoint::Endpoint;
use crate::middleware::http_labels::status_label;

/// The bytes of a request's body that the service has read. The body adds them, and the record
/// of the request reads them when it ends.
///
/// `Relaxed`: the numbers guard no other data.
#[derive(Debug, Default)]
pub(super) struct RequestSize {
    read: AtomicU64,
    /// Those that are not in the counter yet, because it is not known whether the request counts.
    pending: AtomicU64,
}

impl RequestSize {
    pub(super) fn add(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_pending(&self, bytes: u64) {
        self.add(bytes);
        self.pending.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The bytes of the bodies of one request.
#[derive(Debug, Default)]
pub(super) struct BodySizes {
    /// `None` if the request has no body whose bytes are counted here.
    request: Option<Arc<RequestSize>>,
    pub(super) response: u64,
}

impl BodySizes {
    /// Starts to count the bytes of the request's body.
    pub(super) fn start_request(&mut self) -> Arc<RequestSize> {
        Arc::clone(self.request.get_or_insert_default())
    }

    /// Returns the bytes of the request's body that were read.
    pub(super) fn request(&self) -> u64 {
        let size = self.request.as_ref();
        size.map_or(0, |size| size.read.load(Ordering::Relaxed))
    }

    /// Adds the bytes to the counter that are not in it yet.
    pub(super) fn count_pending(&self, endpoint: &Endpoint) {
        if let Some(size) = &self.request {
            let bytes = size.pending.load(Ordering::Relaxed);
            if bytes > 0 {
                endpoint.request_bytes().inc_by(bytes);
            }
        }
    }
}

/// The histograms of body sizes.
pub(super) struct BodySizeFamilies {
    pub(super) request: DynFamily<Histogram>,
    pub(super) response: DynFamily<Histogram>,
    /// Whether they have the label `status`.
    pub(super) have_status: bool,
}

impl BodySizeFamilies {
    /// Observes the sizes of a request that has ended.
    ///
    /// A response that does not exist has no size, and neither has a request whose body is not
    /// measured.
    pub(super) fn observe(
        &self,
        sizes: &BodySizes,
        endpoint: &Endpoint,
        status: Option<StatusCode>,
        is_request_measured: bool,
    ) {
        let observe = |family: &DynFamily<Histogram>, bytes: u64| {
            let is_class = endpoint.metrics.settings.status_class;
            let status = status_label(status.as_ref(), is_class);
            let mut labels = [endpoint.method_name(), &*endpoint.route, status];
            let count = if self.have_status { 3 } else { 2 };
            family.with_ref(&mut labels[..count], |series, _| {
                series.observe(bytes as f64);
            });
        };
        if is_request_measured {
            observe(&self.request, sizes.request());
        }
        if status.is_some() {
            observe(&self.response, sizes.response);
        }
    }
}
