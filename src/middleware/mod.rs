//! The layer that measures every request of a service.
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
//! It fits any tower service over HTTP, of any body type; the service is given the
//! request with its body in a [`RequestBody`], which counts what is read:
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use tachometer::middleware::RequestBody;
//! use tachometer::{MetricsLayer, Registry};
//! use tower::{Layer, service_fn};
//!
//! async fn handle<B>(request: Request<RequestBody<B>>) -> Result<Response<String>, Infallible> {
//!     Ok(Response::new(format!("{} it is", request.uri())))
//! }
//!
//! let registry = Registry::new();
//! let service = MetricsLayer::new().registry(&registry).layer(service_fn(handle::<String>));
//! # fn is_service<S: tower::Service<Request<String>>>(_: S) {}
//! # is_service(service);
//! ```
//!
//! # Metrics
//!
//! | name | labels | what |
//! | --- | --- | --- |
//! | `http_requests_total` | `method`, `route`, `status`, `outcome` | requests that have ended |
//! | `http_request_duration_seconds` | `method`, `route`, `status` | from the call to the end of the response's body |
//! | `http_requests_in_flight` | `method`, `route` | requests whose response has not ended |
//! | `http_request_body_bytes_total` | `method`, `route` | bytes of request bodies, as the service reads them |
//! | `http_response_body_bytes_total` | `method`, `route` | bytes of response bodies, as they pass |
//! | `http_stream_duration_seconds` | `method`, `route` | from the call to the end of a stream or upgraded connection |
//! | `http_streams_in_flight` | `method`, `route` | streams that have begun and not ended |
//! | `http_upgrades_in_flight` | `method`, `route` | upgraded connections, by their [`UpgradeGuard`]s |
//!
//! On request there are `http_time_to_head_seconds` and
//! `http_time_to_first_byte_seconds` (`method`, `route`, `status`), and
//! `http_service_level_requests_total` and `http_service_level_good_requests_total`
//! (`method`, `route`, `within`); a [`Preset`] has other names for all of them.
//!
//! An endpoint, a method of a route, has one series once its first request starts
//! (`http_requests_in_flight`), and two more then if it has a service level, at 0. As Prometheus
//! counts them, its first response adds 16: one of the requests, 14 of the duration (12 buckets,
//! sum and count) and one of the bytes of its body. Each further status adds 15, and each
//! further outcome of a known status adds one.
//!
//! Every request that the service accepted ends in exactly one `outcome`,
//! whatever becomes of it, and is counted in the two first metrics at that
//! moment; so the duration's count is the sum of the outcomes.
//!
//! | outcome | when |
//! | --- | --- |
//! | `ok` | the body ended after a status of 1xx to 3xx |
//! | `client_error`, `server_error` | the body ended after a 4xx; after a 5xx or above |
//! | `cancelled_before_head` | dropped before there was a response: the client went away, or a time-out struck |
//! | `cancelled_in_body` | dropped before the server had taken all of the response's body |
//! | `body_error` | the response's body failed, or ended short of its declared length |
//! | `service_error` | the service returned an error instead of a response |
//! | `panic` | the service, its future or the response's body panicked, and no one inside caught it |
//! | `upgraded` | the connection now speaks another protocol: 101, or a CONNECT that succeeded |
//!
//! `method` is one of HTTP's nine or `_OTHER`. `route` is the route's template,
//! as axum shows it to the layer, or a name that the user gives it, or `unmatched`;
//! never a path, unless the user's closure returns one. `status` is
//! `none` where there was no response, and `_OTHER` where it is not within 100 to 599. A body that is not polled to its end is
//! complete when nothing of it is missing: an answer to HEAD, a 204 or 304, or
//! one whose declared length has passed. The body ends when the server takes its
//! last frame; what then still lies in buffers is beyond the layer's sight.
//!
//! A stream is an event stream (`text/event-stream`) of unknown length, or any response
//! of a route that the user [calls one](MetricsLayer::stream_route). It is counted when it
//! ends, but its duration is the time to its head: how long a client listens says
//! nothing about the service's speed. Its whole life is in a metric of its own.
//!
//! An upgraded connection is out of the layer's sight: its request ends with the
//! head, as `upgraded`. The task that serves it may hold an [`UpgradeGuard`].
//!
//! # Placement
//!
//! Add the layer after all routes and the fallback, so that it sees those that
//! match nothing, and before [`metrics_router`](crate::router::metrics_router)
//! is nested; that router's answers are not counted wherever the layer sits.
//!
//! [`instrument`](crate::instrument) does it in that order. A layer that has seen a
//! hundred requests succeed in axum and not one route sits outside of the router, and
//! says so, once.
//!
//! Where a request passes two layers of one registry, the outer one counts it, once,
//! and the inner one tells it the route. So a layer around the whole service, which
//! axum shows no route, knows it all the same if there is another one inside; only
//! what it counts before that one is called, bytes of requests, stays under `unmatched`.
//! The inner one knows the request by its body, which the outer one has wrapped, be it
//! on another task, where it tells nobody the route. If something between the two puts
//! another body in its place, the first such request is counted twice; from then on
//! requests are marked besides, in their extensions. So a handler that makes a request
//! of its own, in this process, should not give it all extensions of the one it answers.
//!
//! Two such layers have the same names, and so the same labels of one's own: what is
//! asked of a request is what the outer one chose. Layers of other registries, presets
//! or prefixes count each for itself.
//!
//! # What a server does not tell
//!
//! A layer learns that a client has gone when the server drops the request. Over HTTP/1,
//! hyper does that when it reads the end of the connection. It does not read on while bytes
//! of a further, pipelined request wait, or while the service has not read a body that was
//! announced. Such a request stays in flight until the service ends it. Use a timeout layer
//! to bound that time. A request that arrives together with the end of the connection may
//! never reach the service, and is not counted.
//!
//! # What a client can put into a label
//!
//! | label | values |
//! | --- | --- |
//! | `method`, `outcome`, `version`, `scheme`, `grpc_status` | a fixed set |
//! | `status` | the status of the service, `_OTHER` or `none` |
//! | `route` | your templates, or what [`route_from`](MetricsLayer::route_from) returns, up to the limit |
//! | closed custom labels | your list, `_overflow` and `none` |
//! | open custom labels | what your code returns, at most 256 bytes, up to the [limit](MetricsLayer::label_limit) |
//! | `trace_id` of an exemplar | hex digits, or what [`exemplar_from`](MetricsLayer::exemplar_from) returns |
//!
//! No other part of a request is in the metrics. `docs/security.md` has the same table with
//! all bounds, and the test of each. `Debug` of the types here prints no value that a client
//! can choose.
//!
//! # Transparency
//!
//! Requests and responses pass unchanged: frames, trailers, size hints, errors.
//! Nothing is buffered, and no panic is caught.

mod body;
mod custom_labels;
mod endpoint;
mod families;
mod future;
mod grpc_status;
mod head;
mod http_labels;
mod layer;
mod metrics;
mod optional_state;
mod outcome;
mod placement;
mod preset;
mod record;
mod remaining_body;
mod request_body;
mod request_labels;
mod route_name;
mod service;
mod service_level;
mod settings;
mod trace_id;
mod upgrade;

pub use body::ResponseBody;
pub use head::{RequestHead, ResponseHead};
pub use layer::MetricsLayer;
pub use preset::Preset;
pub use request_body::RequestBody;
pub use request_labels::RequestLabels;
pub use service::MetricsService;
pub use upgrade::UpgradeGuard;
