//! The closure that is called at the end of each request.

use std::sync::Arc;

use crate::context::UserClosure;
use crate::middleware::request_end::RequestEndFn;
use crate::middleware::{MetricsLayer, RequestEnd};

/// # End of a request
impl MetricsLayer {
    /// Calls `on_end` once for each request that the layer counts, after it was recorded: a scrape
    /// in the closure contains it, and it is no longer in flight.
    ///
    /// It is also called for requests that were cancelled, panicked or ended in an upgrade. It is
    /// not called for requests that the layer does not count: skipped ones, scrapes, and those
    /// that an outer layer of the same metrics counts. A later call replaces the closure.
    ///
    /// The closure runs in the task that serves the request, or in a destructor, for example when
    /// the runtime shuts down. It must not block. It may record metrics and read a registry. If it
    /// panics, the request is not affected.
    /// `tachometer_closure_panics_total{setting="on_request_end"}` counts the panics, and the first
    /// one is logged.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().on_request_end(|end| {
    ///     if end.duration() > Duration::from_secs(1) {
    ///         println!("{} {} took {:?}", end.method(), end.route(), end.duration());
    ///     }
    /// });
    /// ```
    #[doc(alias("callback", "hook", "on_response", "on_eos", "on_failure"))]
    pub fn on_request_end(self, on_end: impl Fn(&RequestEnd<'_>) + Send + Sync + 'static) -> Self {
        let on_end: Arc<RequestEndFn> = Arc::new(on_end);
        let on_end = UserClosure::new("on_request_end", on_end);
        self.set(|settings| settings.on_request_end = Some(on_end))
    }
}
