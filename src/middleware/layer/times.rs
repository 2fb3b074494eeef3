//! Settings of durations and exemplars.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request;

use crate::context::{Clock, UserClosure};
use crate::metric::Buckets;
use crate::middleware::MetricsLayer;
use crate::middleware::trace_id::TraceIdSource;

/// # Times
impl MetricsLayer {
    /// Sets the buckets of `http_request_duration_seconds`, in seconds.
    ///
    /// ```
    /// use tachometer::{Buckets, MetricsLayer};
    ///
    /// // Custom classic buckets, and exponential ones for percentiles.
    /// let layer = MetricsLayer::new().buckets(Buckets::new(&[0.05, 0.5, 5.0])?.native());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn buckets(self, buckets: Buckets) -> Self {
        self.set(|settings| {
            settings.buckets = Some(buckets);
            // Of a variable, which comes before settings in code.
            settings.has_native_histograms = false;
        })
    }

    /// Sets the buckets of one route's duration, in seconds. If another layer of the registry
    /// has already set others for the route, those stay.
    pub fn route_buckets(self, route: impl Into<String>, buckets: Buckets) -> Self {
        self.set(|settings| settings.route_buckets.push((route.into(), buckets)))
    }

    /// Sets the service level of a route: its requests should succeed within `target`.
    ///
    /// `http_service_level_requests_total` counts its requests, and
    /// `http_service_level_good_requests_total` those that met the service level, with the
    /// labels `method`, `route` and `within` (the target in seconds). A client error meets it. A
    /// request that the client cancels before the target is in neither metric. A stream meets
    /// it if its head comes in time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().service_level("/checkout", Duration::from_millis(250));
    /// ```
    #[doc(alias = "slo")]
    #[doc(alias = "apdex")]
    pub fn service_level(self, route: impl Into<String>, target: Duration) -> Self {
        self.set(|settings| settings.service_levels.push((route.into(), target)))
    }

    /// Also measures the time to the response's head, as `http_time_to_head_seconds`.
    #[doc(alias = "time_to_headers")]
    pub fn time_to_head(self) -> Self {
        self.set(|settings| settings.time_to_head = true)
    }

    /// Also measures the time to the first byte of the response's body, as
    /// `http_time_to_first_byte_seconds`. Responses with an empty body are not measured.
    #[doc(alias = "ttfb")]
    pub fn time_to_first_byte(self) -> Self {
        self.set(|settings| settings.time_to_first_byte = true)
    }

    /// Adds the trace id of a request to its duration as an exemplar, `trace_id`: that of the
    /// header `traceparent` (W3C Trace Context), if it is valid and the trace is sampled.
    #[doc(alias = "traceparent")]
    pub fn exemplars(self) -> Self {
        self.set(|settings| settings.trace_id_source = Some(TraceIdSource::Traceparent))
    }

    /// Adds the result of `trace_id` for a request to its duration as an exemplar, `trace_id`.
    /// If it returns `None`, there is no exemplar.
    ///
    /// Name and value together have at most 128 characters (OpenMetrics 1.0, "Exemplars"); a
    /// longer exemplar is counted as invalid. `OpenMetrics` text leaves out exemplars that
    /// contain a `"`; see [`Counter::inc_with_exemplar`](crate::Counter::inc_with_exemplar).
    pub fn exemplar_from(
        self,
        trace_id: impl Fn(&request::Parts) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Self {
        let source = TraceIdSource::Closure(UserClosure::new("exemplar_from", Arc::new(trace_id)));
        self.set(|settings| settings.trace_id_source = Some(source))
    }

    /// Takes the time from `now` instead of the system's clock, for example from a clock that
    /// tests can set, or from a cheaper one.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// // The clock of tokio, which `tokio::time::pause` stops.
    /// let layer = MetricsLayer::new().clock(|| tokio::time::Instant::now().into_std());
    /// ```
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.set(|settings| {
            settings.clock = Clock::from_hook(UserClosure::new("clock", Arc::new(now)));
        })
    }
}
