//! What can be chosen of the layer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Uri};

use crate::context::{Clock, Hook};
use crate::metric::{Buckets, Label};
use crate::middleware::custom_labels::ValueSource;
use crate::middleware::grpc_status::GRPC_CODES;
use crate::middleware::head::{RequestFn, RequestHead, ResponseHead};
use crate::middleware::http_labels::{NONE, OTHER, VERSIONS, scheme_label, version_label};
use crate::middleware::layer::MetricsLayer;
use crate::middleware::preset::Preset;
use crate::middleware::settings::{PredeclaredEndpoint, Settings, SkipFilter};
use crate::middleware::trace_id::TraceIdSource;

/// # Names
impl MetricsLayer {
    /// Calls metrics and labels by the names of a preset.
    ///
    /// Choose it before labels that a preset names, such as
    /// [`version_label`](Self::version_label)'s.
    pub fn preset(self, preset: Preset) -> Self {
        self.choose(|settings| settings.preset = preset)
    }

    /// Begins the names of the layer's metrics with `prefix`, as it is written there:
    /// `shop_`.
    ///
    /// A prefix with which no name can begin is an error when the metrics are
    /// registered.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.choose(|settings| settings.prefix = prefix.into())
    }
}

/// # Requests and routes
impl MetricsLayer {
    /// Leaves out the requests for which `skip` returns true: they pass, and this layer
    /// counts nothing.
    ///
    /// It is called before anything else, and should be quick; and not for a request
    /// that a layer further out counts. A request for which it panics is measured.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new()
    ///     .skip(|_method, uri| matches!(uri.path(), "/health" | "/ready"));
    /// ```
    pub fn skip(self, skip: impl Fn(&Method, &Uri) -> bool + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.skip = SkipFilter::new(Hook::new(Arc::new(skip))))
    }

    /// Counts the requests to all these routes, by their templates, under one name.
    ///
    /// Other choices about one of the routes are about the whole group.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().group("assets", ["/css/{*path}", "/js/{*path}"]);
    /// ```
    pub fn group_routes<'a>(self, name: &str, routes: impl IntoIterator<Item = &'a str>) -> Self {
        let name: Arc<str> = name.into();
        self.choose(|settings| {
            let groups = routes
                .into_iter()
                .map(|route| (route.to_owned(), Arc::clone(&name)));
            settings.route_naming.groups.extend(groups);
        })
    }

    /// Calls the route `name` where axum shows none to the layer: in a service that
    /// was added with `nest_service` or `fallback_service`, and outside of axum.
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
    /// // Around the service itself, so that its requests have a name; a layer around
    /// // the whole application learns it, and counts them once.
    /// let files = MetricsLayer::new().fallback_route("/static").registry(&registry).layer(Files.service());
    /// let app: Router = Router::new()
    ///     .nest_service("/static", files)
    ///     .layer(MetricsLayer::new().registry(&registry));
    /// ```
    pub fn fallback_route(self, name: impl Into<String>) -> Self {
        self.choose(|settings| settings.route_naming.fallback = Some(name.into()))
    }

    /// Asks `route` for the name of a request's route, before axum is asked.
    ///
    /// What it returns may come from the client, so it is limited: past
    /// [`label_limit`](Self::label_limit) names the label is `_overflow`. `None`, or a panic,
    /// leaves the name to axum, whose templates keep theirs whatever comes.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// // The methods of gRPC services, of which axum shows the service alone.
    /// let layer = MetricsLayer::new().route_from(|head| {
    ///     let is_grpc = head.headers.get("content-type")?.as_bytes().starts_with(b"application/grpc");
    ///     is_grpc.then(|| head.uri.path().to_owned().into())
    /// });
    /// ```
    pub fn route_from(
        self,
        route: impl Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.choose(|settings| settings.route_naming.route_fn = Some(Hook::new(Arc::new(route))))
    }

    /// Treats every response of a route as a stream, as it does event streams: its
    /// duration ends at the head, and its life is in `http_stream_duration_seconds`.
    pub fn stream_route(self, route: impl Into<String>) -> Self {
        self.choose(|settings| settings.stream_routes.push(route.into()))
    }

    /// Shows a route from the start, at zero, as if it had answered with these
    /// statuses, so that the first error of a process is seen as a rise.
    ///
    /// A layer with labels of its own shows it with `none` for all of them, so that the
    /// rise is seen in sums over these labels.
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
        let declared = PredeclaredEndpoint {
            method,
            route: route.into(),
            statuses: statuses.into_iter().collect(),
        };
        self.choose(|settings| settings.predeclared.push(declared))
    }
}

/// # Times
impl MetricsLayer {
    /// Sets the buckets of `http_request_duration_seconds`, in seconds.
    ///
    /// ```
    /// use tachometer::{Buckets, MetricsLayer};
    ///
    /// // Classic buckets of one's own, and exponential ones for percentiles.
    /// let layer = MetricsLayer::new().buckets(Buckets::new(&[0.05, 0.5, 5.0])?.native());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn buckets(self, buckets: Buckets) -> Self {
        self.choose(|settings| settings.buckets = Some(buckets))
    }

    /// Sets the buckets of one route's duration, in seconds. Where another layer of the
    /// registry has set others before, those stay.
    pub fn route_buckets(self, route: impl Into<String>, buckets: Buckets) -> Self {
        self.choose(|settings| settings.route_buckets.push((route.into(), buckets)))
    }

    /// Sets the service level of a route: its requests are to end well, and no later
    /// than this.
    ///
    /// `http_service_level_requests_total` counts them, and
    /// `http_service_level_good_requests_total` those that did, with the labels
    /// `method`, `route` and `within`, in seconds. An error of the client's ends well.
    /// Whoever goes away earlier than this is in neither, since nobody knows what
    /// would have become of it. A stream is to begin within the time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().service_level("/checkout", Duration::from_millis(250));
    /// ```
    pub fn service_level(self, route: impl Into<String>, time: Duration) -> Self {
        self.choose(|settings| settings.service_levels.push((route.into(), time)))
    }

    /// Measures the time to the response's head besides, as
    /// `http_time_to_head_seconds`.
    pub fn time_to_head(self) -> Self {
        self.choose(|settings| settings.time_to_head = true)
    }

    /// Measures the time to the first byte of the response's body besides, as
    /// `http_time_to_first_byte_seconds`; a response without one has none.
    pub fn time_to_first_byte(self) -> Self {
        self.choose(|settings| settings.time_to_first_byte = true)
    }

    /// Keeps the trace of a request as an exemplar of its duration, `trace_id`: that
    /// of the header `traceparent` (W3C Trace Context), if it is valid and the trace
    /// is sampled, so that it can be looked up.
    pub fn exemplars(self) -> Self {
        self.choose(|settings| settings.trace_id_source = Some(TraceIdSource::Traceparent))
    }

    /// Keeps what `trace` returns for a request as the exemplar of its duration,
    /// `trace_id`, and nothing where it returns `None`. Together with the name it has
    /// at most 128 characters (OpenMetrics 1.0, "Exemplars"); a longer one is counted
    /// as invalid. One with a `"` is left out of `OpenMetrics` text; see
    /// [`Counter::inc_with_exemplar`](crate::Counter::inc_with_exemplar).
    pub fn exemplar_from(
        self,
        trace: impl Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        let trace = TraceIdSource::Closure(Hook::new(Arc::new(trace)));
        self.choose(|settings| settings.trace_id_source = Some(trace))
    }

    /// Takes the time from `now` instead of the system's clock: from one that tests
    /// can set, or that is cheaper.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// // The clock of tokio, which `tokio::time::pause` stops.
    /// let layer = MetricsLayer::new().clock(|| tokio::time::Instant::now().into_std());
    /// ```
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.clock = Clock::from_hook(Hook::new(Arc::new(now))))
    }
}

/// # Labels
///
/// Those of one's own are on `http_requests_total` and
/// `http_request_duration_seconds`. A name alone is an [open](Label::open) label,
/// whose values are [limited](Self::label_limit). Where there is no value, it is `none`, which
/// needs no room. A layer with labels of its own takes memory for each request, as one
/// with exemplars or with a clock to the first byte does, and any request that asks for
/// an upgrade.
impl MetricsLayer {
    /// Adds a label whose value comes from the request.
    ///
    /// ```
    /// use tachometer::{Label, MetricsLayer};
    ///
    /// let layer = MetricsLayer::new().label_from_request(
    ///     Label::closed("plan", ["free", "paid"]),
    ///     |head| Some(head.headers.get("x-plan")?.to_str().ok()?.to_owned().into()),
    /// );
    /// ```
    pub fn label_from_request(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.label(label, ValueSource::Request(Hook::new(Arc::new(value))))
    }

    /// Adds a label whose value comes from the response's head.
    pub fn label_from_response(
        self,
        label: impl Into<Label<'static>>,
        value: impl Fn(&ResponseHead<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        self.label(label, ValueSource::Response(Hook::new(Arc::new(value))))
    }

    /// Adds a label whose value the handler gives, through
    /// [`RequestLabels`](crate::middleware::RequestLabels).
    pub fn label_from_handler(self, label: impl Into<Label<'static>>) -> Self {
        self.label(label, ValueSource::Handler)
    }

    /// Adds the label `version`: `1.0`, `1.1`, `2` and so on.
    pub fn version_label(self) -> Self {
        let name = self.settings.preset.names().version;
        let known = Label::closed(name, VERSIONS);
        self.closed(known, |head| Some(version_label(head).into()))
    }

    /// Adds the label `scheme`: `http` or `https`, or `none` where the request does
    /// not say, as over HTTP/1.1.
    pub fn scheme_label(self) -> Self {
        let name = self.settings.preset.names().scheme;
        let known = Label::closed(name, ["http", "https"]);
        self.closed(known, |head| Some(scheme_label(head).into()))
    }

    /// Gives the label `status` the class alone: `2xx`.
    pub fn status_class(self) -> Self {
        self.choose(|settings| settings.status_class = true)
    }

    /// Adds the label `grpc_status`, the name of the code with which a gRPC call
    /// ended, from headers or trailers; `none` for other requests.
    ///
    /// Such a call's outcome is that of its code: `server_error` for `UNKNOWN`,
    /// `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`,
    /// which are the server's (OpenTelemetry's semantic conventions for gRPC), and
    /// `client_error` for the other errors. One that ended without a code is
    /// `UNKNOWN`, or `CANCELLED` if the client went away.
    pub fn grpc_status_label(self) -> Self {
        let name = self.settings.preset.names().grpc_status;
        let known = Label::closed(name, GRPC_CODES);
        self.label(known, ValueSource::GrpcStatus)
    }

    /// Lets the open labels of one's own have so many distinct values together, and
    /// [`route_from`](Self::route_from) return so many routes, instead of 2,000; see
    /// [`Family::limit`](crate::Family::limit).
    pub fn label_limit(self, values: usize) -> Self {
        self.choose(|settings| settings.label_limit = Some(values))
    }
}

impl MetricsLayer {
    /// Adds a label whose values are listed, and one that is none of them.
    fn closed(
        self,
        label: Label<'static>,
        value: impl Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    ) -> Self {
        let value: Arc<RequestFn> = Arc::new(value);
        self.label(
            label.and_value(OTHER),
            ValueSource::Request(Hook::new(value)),
        )
    }

    fn label(self, label: impl Into<Label<'static>>, source: ValueSource) -> Self {
        let label = label.into().and_value(NONE);
        self.choose(|settings| settings.custom_labels.push(label, source))
    }

    fn choose(self, choose: impl FnOnce(&mut Settings)) -> Self {
        let mut layer = self.anew();
        choose(&mut layer.settings);
        layer
    }
}
