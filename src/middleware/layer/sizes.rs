//! Settings of body sizes.

use crate::metric::Buckets;
use crate::middleware::MetricsLayer;

/// # Body sizes
impl MetricsLayer {
    /// Adds the histograms `http_request_body_size_bytes` and `http_response_body_size_bytes`,
    /// with the labels `method`, `route` and `status`. With
    /// [`axum_prometheus_names`](Self::axum_prometheus_names) they have no status.
    ///
    /// Each request is observed when it ends, with the bytes of its bodies that were read until
    /// then: by the service from the request, and by the server from the response. So a body
    /// that was cancelled halfway counts half, and an empty or missing body is 0. The size of a
    /// request is not observed if its body has a type whose bytes are not counted. The size of a
    /// response is not observed if there was none.
    ///
    /// The bounds of the buckets are 256 bytes to 64 MiB, each four times the one before. Set
    /// others with [`body_size_buckets`](Self::body_size_buckets).
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().body_sizes();
    /// ```
    #[doc(alias("size", "content-length", "enable_response_body_size"))]
    pub fn body_sizes(self) -> Self {
        self.set(|settings| settings.body_sizes = true)
    }

    /// Adds the histograms of [`body_sizes`](Self::body_sizes) with these buckets, in bytes.
    ///
    /// ```
    /// use tachometer::{Buckets, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new().body_size_buckets(Buckets::new(&[1_000.0, 1_000_000.0])?);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn body_size_buckets(self, buckets: Buckets) -> Self {
        self.set(|settings| {
            settings.body_sizes = true;
            settings.body_size_buckets = Some(buckets);
        })
    }
}
