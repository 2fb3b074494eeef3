//! A tower layer that measures every HTTP request of a service.
//!
//! The guide [HTTP layer](crate::guides::http) explains it by task.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tachometer::{MetricsLayer, Registry, metrics_router};
//!
//! let app: Router = Router::new()
//!     .route("/users/{id}", get(|| async { "a user" }))
//!     .layer(MetricsLayer::new())
//!     .nest("/metrics", metrics_router());
//! ```
//!
//! It works with any tower service over HTTP. Requests keep their type:
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use tachometer::{MetricsLayer, Registry};
//! use tower::{Layer, service_fn};
//!
//! async fn handle(request: Request<String>) -> Result<Response<String>, Infallible> {
//!     Ok(Response::new(format!("you asked for {}", request.uri())))
//! }
//!
//! let registry = Registry::new();
//! let service = MetricsLayer::new().registry(&registry).layer(service_fn(handle));
//! # fn is_service<S: tower::Service<Request<String>>>(_: S) {}
//! # is_service(service);
//! ```
//!
//! The bytes of a request's body are counted if it is axum's `Body`. For bodies of other types
//! there is [`MetricsLayer::wrap_request_body`], which changes the type of requests.
//!
//! # Metrics
//!
//! | name | labels | what |
//! | --- | --- | --- |
//! | `http_requests_total` | `method`, `route`, `status`, `outcome` | requests that have ended |
//! | `http_request_duration_seconds` | `method`, `route`, `status` | from the call of the service to the end of the response's body |
//! | `http_requests_in_flight` | `method`, `route` | requests whose response has not ended |
//! | `http_request_body_bytes_total` | `method`, `route` | bytes of request bodies, as the service reads them |
//! | `http_request_body_unmeasured_total` | `method`, `route` | requests with a body of a type whose bytes are not counted |
//! | `http_response_body_bytes_total` | `method`, `route` | bytes of response bodies, as the server reads them |
//! | `http_stream_duration_seconds` | `method`, `route` | from the call of the service to the end of a stream or upgraded connection |
//! | `http_streams_in_flight` | `method`, `route` | streams that have started and not ended |
//! | `http_upgrades_in_flight` | `method`, `route` | upgraded connections that hold an [`UpgradeGuard`] |
//!
//! Opt-in metrics are `http_time_to_head_seconds`, `http_time_to_first_byte_seconds`,
//! `http_request_body_size_bytes` and `http_response_body_size_bytes` (`method`, `route`,
//! `status`), and `http_service_level_requests_total` and
//! `http_service_level_good_requests_total` (`method`, `route`, `within`).
//! [`MetricsLayer::otel_names`] and [`MetricsLayer::axum_prometheus_names`] change all names.
//!
//! An endpoint is a method of a route. When its first request starts, it gets one series
//! (`http_requests_in_flight`), and two more at 0 if it has a service level. In Prometheus, its
//! first response adds 16 series: one for the requests, 14 for the duration (12 buckets, sum and
//! count) and one for the bytes of its body. Each further status adds 15, and each further
//! outcome of a known status adds one.
//!
//! Every request that the service accepted ends in exactly one `outcome`, whatever becomes of
//! it. It is counted in the first two metrics at that moment, so the count of the duration is
//! the sum of the outcomes.
//!
//! | outcome | when |
//! | --- | --- |
//! | `ok` | the body was sent completely, with a status of 1xx to 3xx |
//! | `client_error`, `server_error` | the same with a 4xx; with a 5xx or above |
//! | `cancelled_before_head` | dropped before there was a response: the client disconnected, or a timeout elapsed |
//! | `cancelled_in_body` | dropped before the server had read all of the response's body |
//! | `body_error` | the response's body failed, or ended before its declared length |
//! | `service_error` | the service returned an error instead of a response |
//! | `panic` | the service, its future or the response's body panicked, and nothing inside the layer caught it |
//! | `upgraded` | the connection switched to another protocol: 101, or a successful CONNECT |
//!
//! `method` is one of HTTP's nine methods, one of [`MetricsLayer::methods`], or `_OTHER`. `route`
//! is the route's template as axum shows it to the layer, the path of a `nest_service`, or a name
//! that you set. Otherwise it is `unmatched` if the response is 404 or 405, and `fallback` if not.
//! It is never a path of a request, unless your closure returns one. `status` is `none` if there
//! was no response, and `_OTHER` outside of 100 to 599.
//!
//! A body that is not polled to its end is complete if nothing of it is missing: a response to
//! HEAD, a 204 or 304, or a body whose declared length was sent. The body ends when the server
//! reads its last frame. The layer does not see how long it stays in the server's buffers.
//!
//! A stream is an event stream (`text/event-stream`) of unknown length, or any response
//! of a [stream route](MetricsLayer::stream_route). It is counted when it ends, but its duration
//! is the time to its head: how long a client listens says nothing about the speed of the
//! service. The time to its end is in `http_stream_duration_seconds`.
//!
//! The layer does not see an upgraded connection: the request ends with the head, as
//! `upgraded`. The task that serves the connection may hold an [`UpgradeGuard`].
//!
//! # Placement
//!
//! Add the layer after all routes and the fallback, so that it also measures requests that match
//! no route, and before you nest [`metrics_router`](crate::router::metrics_router). Responses of
//! that router are not counted, wherever the layer sits.
//! [`instrument`](crate::instrument) does it in that order.
//!
//! A layer outside of axum's router sees no routes. It logs one warning after 100 requests
//! without a route. So does one that was added before the routes.
//!
//! If a request passes two layers of one registry, the outer one counts it, once, and uses the
//! route of the inner one if it knows none. So a layer around the whole service gets the routes
//! from one inside the router.
//!
//! The outer layer marks the request in its extensions. A request that loses its extensions
//! between the two is counted twice, and a new request that gets all extensions of a
//! measured one is not counted.
//!
//! Two such layers have the same metrics, and so need the same custom labels. The values are
//! those of the outer layer's closures. Layers of other registries, presets or prefixes count
//! independently.
//!
//! # Disconnected clients
//!
//! A layer notices that a client has disconnected when the server drops the request. Over
//! HTTP/1, hyper does that when it reads the end of the connection. It does not read while bytes
//! of a pipelined request wait, or while the service has not read a declared body. Such a
//! request stays in flight until the service ends it. Use a timeout layer to limit that time. A
//! request that arrives together with the end of the connection may never reach the service,
//! and is not counted.
//!
//! # Label values that a client can choose
//!
//! | label | values |
//! | --- | --- |
//! | `method`, `outcome`, `version`, `scheme`, `grpc_status` | a fixed set |
//! | `status` | the status codes of your service, `_OTHER` or `none` |
//! | `route` | your templates, or paths of `nest_service`, `unmatched`, `fallback`, or what [`route_from`](MetricsLayer::route_from) returns, up to the limit |
//! | closed custom labels | your list, `_overflow` and `none` |
//! | open custom labels | what your code returns, at most 256 bytes, up to the [limit](MetricsLayer::label_limit) |
//! | `trace_id` of an exemplar | hex digits, or what [`exemplar_from`](MetricsLayer::exemplar_from) returns |
//!
//! No other part of a request is in the metrics. `docs/security.md` has the same table with all
//! limits, and the test of each. The `Debug` output of these types contains no value that a
//! client can choose.
//!
//! # Transparency
//!
//! Requests and responses pass unchanged: frames, trailers, size hints, errors. Nothing is
//! buffered, and no panic of the service is caught.

#[cfg(feature = "axum")]
mod axum_body;
#[cfg(not(feature = "axum"))]
#[path = "no_axum_body.rs"]
mod axum_body;
mod body;
mod body_sizes;
#[cfg(feature = "axum")]
mod boxed;
mod closures;
mod custom_labels;
mod endpoint;
mod families;
mod future;
mod grpc_status;
mod head;
mod http_labels;
mod known_values;
mod layer;
#[cfg(feature = "axum")]
mod make_service;
mod measurement;
mod methods;
mod metrics;
mod optional_state;
mod outcome;
mod placement;
mod preset;
mod record;
mod remaining_body;
mod request_body;
mod request_bytes;
mod request_end;
mod request_labels;
mod route_name;
mod semantic_names;
mod service;
mod service_level;
mod service_state;
mod settings;
mod shared_metrics;
mod trace_id;
mod unrouted;
mod upgrade;
mod wrap_request_body;

pub use body::ResponseBody;
#[cfg(feature = "axum")]
pub use boxed::{BoxedMetricsLayer, BoxedMetricsService};
pub use layer::MetricsLayer;
pub use outcome::Outcome;
pub use request_body::RequestBody;
pub use request_end::RequestEnd;
pub use request_labels::RequestLabels;
pub use service::MetricsService;
pub use upgrade::UpgradeGuard;
pub use wrap_request_body::{WrapRequestBodyLayer, WrapRequestBodyService};
