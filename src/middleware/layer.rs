//! The layer and its settings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Uri, request, response};
use tower::Layer;

use crate::context::{Clock, UserClosure, register_routes};
use crate::error::Error;
use crate::metric::{Buckets, Label};
use crate::middleware::MetricsService;
use crate::middleware::closures::RequestFn;
use crate::middleware::custom_labels::ValueSource;
use crate::middleware::grpc_status::GRPC_CODES;
use crate::middleware::http_labels::{NONE, OTHER, VERSIONS, scheme_label, version_label};
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::preset::Preset;
use crate::middleware::settings::{PredeclaredEndpoint, Settings, SkipFilter};
use crate::middleware::trace_id::TraceIdSource;
use crate::registry::{LayerMetrics, LazyMetrics, Registry};

/// Measures every request of the services that it wraps.
///
/// See the [module](crate::middleware) for examples and the metrics. Clones share their
/// metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
#[doc(alias = "middleware")]
#[doc(alias = "tower")]
pub struct MetricsLayer {
    metrics: LazyMetrics<Arc<HttpMetrics>>,
}

impl MetricsLayer {
    /// Makes a layer that counts into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a service, which in
    /// `Router::layer` is at start-up.
    ///
    /// # Panics
    ///
    /// Not here, but when the layer first wraps a service: if the registry holds something else
    /// under the name of one of its metrics. `MethodRouter::layer` and `route_layer` wrap
    /// lazily, maybe as late as at the first connection. Call
    /// [`try_register`](Self::try_register) to get an error at start-up instead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer like [`new`](Self::new) and registers its metrics at once, in the global
    /// registry.
    ///
    /// For a custom registry, end with [`try_register`](Self::try_register) instead:
    /// `MetricsLayer::new().registry(&registry).try_register()`.
    ///
    /// # Errors
    ///
    /// Returns an error if the global registry holds something else under the name of one of the
    /// layer's metrics, or the same with other labels or buckets ([`Error::is_conflict`]).
    pub fn try_new() -> Result<Self, Error> {
        Self::new().try_register()
    }

    /// Counts into `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            metrics: self.metrics.set_registry(registry),
        }
    }

    /// Registers the layer's metrics now, rather than when it first wraps a service.
    ///
    /// ```
    /// use tachometer::{MetricsLayer, Registry};
    ///
    /// let registry = Registry::new();
    /// registry.gauge("http_requests_total", "Not a counter.")?;
    /// let error = MetricsLayer::new().registry(&registry).try_register().unwrap_err();
    /// assert!(error.is_conflict());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the registry holds something else under the name of one of the
    /// metrics, or the same with other labels or buckets ([`Error::is_conflict`]), and if a
    /// [prefix](Self::prefix) or a custom label is invalid or duplicate
    /// ([`Error::is_invalid_name`], [`Error::is_invalid_label`]).
    pub fn try_register(self) -> Result<Self, Error> {
        self.metrics.try_register()?;
        Ok(self)
    }
}

/// # Names
impl MetricsLayer {
    /// Uses the names of OpenTelemetry's semantic conventions for HTTP servers, as Prometheus
    /// writes them: `http_server_request_duration_seconds`, with the buckets that the
    /// conventions recommend, and `http_server_active_requests`, with the labels
    /// `http_request_method`, `http_route` and `http_response_status_code`. The names of
    /// metrics that the conventions do not define also start with `http_server_`.
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
    /// Call it before methods that add a label, as with [`otel_names`](Self::otel_names).
    #[doc(alias("preset", "migration"))]
    pub fn axum_prometheus_names(self) -> Self {
        self.set(|settings| settings.preset = Preset::AxumPrometheus)
    }

    /// Puts `prefix` before the name of every metric, as it is written: `shop_` makes
    /// `shop_http_requests_total`.
    ///
    /// An invalid prefix is an error when the metrics are registered.
    #[doc(alias = "namespace")]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.set(|settings| settings.prefix = prefix.into())
    }
}

/// # Requests and routes
impl MetricsLayer {
    /// Excludes the requests for which `skip` returns true. They pass, and this layer counts
    /// nothing.
    ///
    /// The closure is called before anything else, and should be fast. It is not called for
    /// requests that an outer layer of the same metrics counts. If it panics, the request is
    /// measured.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new()
    ///     .skip(|_method, uri| matches!(uri.path(), "/health" | "/ready"));
    /// ```
    #[doc(alias = "filter")]
    #[doc(alias = "exclude")]
    #[doc(alias = "ignore")]
    pub fn skip(self, skip: impl Fn(&Method, &Uri) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.skip = SkipFilter::new(UserClosure::new(Arc::new(skip))))
    }

    /// Counts the requests to all these routes, given by their templates, under one name.
    ///
    /// Other settings for one of the routes apply to the whole group.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().group_routes("assets", ["/css/{*path}", "/js/{*path}"]);
    /// ```
    pub fn group_routes<'a>(self, name: &str, routes: impl IntoIterator<Item = &'a str>) -> Self {
        let name: Arc<str> = name.into();
        self.set(|settings| {
            let groups = routes
                .into_iter()
                .map(|route| (route.to_owned(), Arc::clone(&name)));
            settings.route_naming.groups.extend(groups);
        })
    }

    /// Sets the route of requests for which axum shows none to the layer: those to a service
    /// that was added with `nest_service` or `fallback_service`, and all requests outside of
    /// axum. Without it their route is `unmatched`.
    ///
    /// ```
    /// use axum::{Router, response::Redirect, routing::get};
    /// use tachometer::MetricsLayer;
    /// use tower::Layer;
    /// # use tachometer::Registry;
    /// # let registry = Registry::new();
    /// # #[derive(Clone)] struct Files;
    /// # impl Files { fn service(self) -> Router { Router::new() } }
    ///
    /// // Around the service itself, so that its requests have a route; a layer around
    /// // the whole application takes the route over, and counts them once.
    /// let files = MetricsLayer::new().fallback_route("/static").registry(&registry).layer(Files.service());
    /// let app: Router = Router::new()
    ///     .nest_service("/static", files)
    ///     .layer(MetricsLayer::new().registry(&registry));
    /// ```
    pub fn fallback_route(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.route_naming.fallback = Some(name.into()))
    }

    /// Takes the route of a request from `route`, before axum's router is asked.
    ///
    /// Its result may come from the client, so it is limited: beyond
    /// [`label_limit`](Self::label_limit) names the label is `_overflow`. If it returns `None`
    /// or panics, the route is axum's template. Templates keep their names whatever comes.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// // The methods of gRPC services: axum shows the name of the service only.
    /// let layer = MetricsLayer::new().route_from(|request| {
    ///     let content_type = request.headers.get("content-type")?.as_bytes();
    ///     let is_grpc = content_type.starts_with(b"application/grpc");
    ///     is_grpc.then(|| request.uri.path().to_owned().into())
    /// });
    /// ```
    pub fn route_from(
        self,
        route: impl Fn(&request::Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| {
            settings.route_naming.route_fn = Some(UserClosure::new(Arc::new(route)));
        })
    }

    /// Treats every response of a route as a stream, as it does event streams: its duration ends
    /// with the head, and the time to its end is in `http_stream_duration_seconds`.
    #[doc(alias = "streaming")]
    #[doc(alias = "sse")]
    pub fn stream_route(self, route: impl Into<String>) -> Self {
        self.set(|settings| settings.stream_routes.push(route.into()))
    }

    /// Creates the series of a route with these statuses at registration, at 0, so that the
    /// first error of a process is an increase.
    ///
    /// Custom labels are `none` in these series, so the increase shows in sums over them.
    ///
    /// ```
    /// use axum::http::{Method, StatusCode};
    /// use tachometer::MetricsLayer;
    ///
    /// let statuses = [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR];
    /// let layer = MetricsLayer::new().predeclare(Method::GET, "/users/{id}", statuses);
    /// ```
    pub fn predeclare(
        self,
        method: Method,
        route: impl Into<String>,
        statuses: impl IntoIterator<Item = StatusCode>,
    ) -> Self {
        let endpoint = PredeclaredEndpoint {
            method,
            route: route.into(),
            statuses: statuses.into_iter().collect(),
        };
        self.set(|settings| settings.predeclared.push(endpoint))
    }
}

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
        self.set(|settings| settings.buckets = Some(buckets))
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
        trace_id: impl Fn(&request::Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        let source = TraceIdSource::Closure(UserClosure::new(Arc::new(trace_id)));
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
        self.set(|settings| settings.clock = Clock::from_hook(UserClosure::new(Arc::new(now))))
    }
}

/// # Labels
///
/// Custom labels are on `http_requests_total` and `http_request_duration_seconds`. A plain name
/// is an [open](Label::open) label, whose values are [limited](Self::label_limit). A label
/// without a value is `none`, which does not count against the limit. A layer with custom
/// labels, exemplars or the time to the first byte allocates once per request; other layers
/// do so only for a request for an upgrade.
impl MetricsLayer {
    /// Adds a label whose value comes from the request.
    ///
    /// ```
    /// use tachometer::{Label, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new().label_from_request(
    ///     Label::closed("plan", ["free", "paid"]),
    ///     |request| Some(request.headers.get("x-plan")?.to_str().ok()?.to_owned().into()),
    /// );
    /// ```
    pub fn label_from_request(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&request::Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.add_label(
            label,
            ValueSource::Request(UserClosure::new(Arc::new(value))),
        )
    }

    /// Adds a label whose value comes from the response's head.
    pub fn label_from_response(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&response::Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.add_label(
            label,
            ValueSource::Response(UserClosure::new(Arc::new(value))),
        )
    }

    /// Adds a label whose value the handler sets, through
    /// [`RequestLabels`](crate::middleware::RequestLabels).
    pub fn label_from_handler(self, label: impl Into<Label<'static>>) -> Self {
        self.add_label(label, ValueSource::Handler)
    }

    /// Adds the label `version`, the HTTP version: `1.0`, `1.1`, `2` and so on.
    pub fn version_label(self) -> Self {
        let name = self.metrics.settings().preset.names().version;
        let label = Label::closed(name, VERSIONS);
        self.add_closed_label(label, |request| Some(version_label(request.version).into()))
    }

    /// Adds the label `scheme`: `http` or `https`, or `none` if the request does not have one,
    /// as over HTTP/1.1.
    pub fn scheme_label(self) -> Self {
        let name = self.metrics.settings().preset.names().scheme;
        let label = Label::closed(name, ["http", "https"]);
        self.add_closed_label(label, |request| Some(scheme_label(&request.uri).into()))
    }

    /// Reduces the label `status` to the class: `2xx`.
    pub fn status_class(self) -> Self {
        self.set(|settings| settings.status_class = true)
    }

    /// Adds the label `grpc_status`, the name of the code of a gRPC call, from headers or
    /// trailers. It is `none` for other requests.
    ///
    /// The outcome of a gRPC call is that of its code: `server_error` for `UNKNOWN`,
    /// `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`
    /// (OpenTelemetry's semantic conventions for gRPC servers), and `client_error` for the
    /// other errors. A call that ended without a code is `UNKNOWN`, or `CANCELLED` if the
    /// client cancelled it.
    pub fn grpc_status_label(self) -> Self {
        let name = self.metrics.settings().preset.names().grpc_status;
        let label = Label::closed(name, GRPC_CODES);
        self.add_label(label, ValueSource::GrpcStatus)
    }

    /// Limits the open custom labels to this many distinct values together, and
    /// [`route_from`](Self::route_from) to this many routes, instead of 2,000. See
    /// [`Family::limit`](crate::Family::limit).
    #[doc(alias = "cardinality")]
    pub fn label_limit(self, values: usize) -> Self {
        self.set(|settings| settings.label_limit = Some(values))
    }
}

impl MetricsLayer {
    /// Adds a label of listed values. All other values are `_OTHER`.
    fn add_closed_label(
        self,
        label: Label<'static>,
        value: impl Fn(&request::Parts) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        let value: Arc<RequestFn> = Arc::new(value);
        self.add_label(
            label.and_value(OTHER),
            ValueSource::Request(UserClosure::new(value)),
        )
    }

    fn add_label(self, label: impl Into<Label<'static>>, source: ValueSource) -> Self {
        let label = label.into().and_value(NONE);
        self.set(|settings| settings.custom_labels.push(label, source))
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        Self {
            metrics: self.metrics.set(change),
        }
    }
}

impl LayerMetrics for Arc<HttpMetrics> {
    type Settings = Settings;

    const LAYER: &'static str = "MetricsLayer";

    fn register(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        let metrics = Arc::new(HttpMetrics::new(registry, settings)?);
        register_routes(&metrics);
        Ok(metrics)
    }
}

impl fmt::Debug for MetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsLayer")
            .field("prefix", &self.metrics.settings().prefix)
            .field("is_registered", &self.metrics.is_registered())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    /// Wraps a service.
    ///
    /// # Panics
    ///
    /// The first time, if the metrics cannot be registered. See
    /// [`try_register`](Self::try_register) for the reasons.
    fn layer(&self, inner: S) -> Self::Service {
        MetricsService::new(inner, Arc::clone(self.metrics.get_or_register()))
    }
}
