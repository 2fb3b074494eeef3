//! Settings of the metric names.

use crate::middleware::MetricsLayer;
use crate::middleware::preset::Preset;

/// # Names
impl MetricsLayer {
    /// Uses the names of OpenTelemetry's semantic conventions for HTTP servers, as Prometheus
    /// writes them: `http_server_request_duration_seconds`, with the buckets that the
    /// conventions recommend, and `http_server_active_requests`, with the labels
    /// `http_request_method`, `http_route` and `http_response_status_code`. The names of
    /// metrics that the conventions do not define also start with `http_server_`.
    ///
    /// Over OTLP, metrics and labels have the names of the conventions: `http.server.request.duration`
    /// with `http.request.method`. With a prefix they keep the names that Prometheus reads.
    ///
    /// Call it before methods that add a label with a name of the conventions, such as
    /// [`version_label`](Self::version_label).
    #[doc(alias("preset", "semantic conventions", "OpenTelemetry"))]
    pub fn otel_names(self) -> Self {
        self.set(|settings| settings.preset = Preset::Otel)
    }

    /// Uses the names of the crate `axum-prometheus`, for dashboards that were built for it:
    /// `axum_http_requests_total`, `axum_http_requests_duration_seconds` and
    /// `axum_http_requests_pending`, with the labels `method`, `endpoint` and `status`. The
    /// names of metrics that it does not have also start with `axum_http_`.
    ///
    /// A [prefix](Self::prefix) replaces `axum`, as in `axum-prometheus`: `shop` makes
    /// `shop_http_requests_total`. So does `shop_`.
    ///
    /// Call it before methods that add a label, as with [`otel_names`](Self::otel_names).
    #[doc(alias("preset", "migration"))]
    pub fn axum_prometheus_names(self) -> Self {
        self.set(|settings| settings.preset = Preset::AxumPrometheus)
    }

    /// Puts `prefix` before the name of every metric, as it is written: `shop_` makes
    /// `shop_http_requests_total`. With [`axum_prometheus_names`](Self::axum_prometheus_names) it
    /// replaces the `axum` of the names.
    ///
    /// An invalid prefix is an error when the metrics are registered.
    #[doc(alias = "namespace")]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.set(|settings| settings.prefix = prefix.into())
    }
}
