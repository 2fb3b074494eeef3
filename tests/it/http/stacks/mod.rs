//! The layer together with the middleware of the ecosystem, in each order.
//!
//! These are the tests of the table in `docs/middleware-order.md`. "Outside" means that
//! the layer wraps the other middleware. Each test compares everything that was counted.
//!
//! - `attempts`: retries and hedged requests.
//! - `bodies`: compression, decompression and body limits.
//! - `capacity`: buffers, concurrency limits and load shedding.
//! - `failures`: timeouts and panics.
//! - `guide`: the stack that the HTTP guide recommends.
//! - `observers`: tracing and request ids.
//! - `paths`: trailing slashes and static files.
//! - `rejections`: CORS preflights and rate limits.
//! - `rpc`: tonic, in axum's router and in its own server.
//! - `servers`: axum-server.
//!
//! # Rows of the guide
//!
//! | middleware | test |
//! | --- | --- |
//! | `TraceLayer` | `observers::tracing_changes_no_number_in_any_order` |
//! | `SetRequestIdLayer` | `observers::label_closures_see_a_request_id_that_was_set_further_out_and_propagated_further_in` |
//! | `PropagateRequestIdLayer` | `observers::label_closures_see_a_request_id_that_was_set_further_out_and_propagated_further_in` |
//! | `TimeoutLayer` | `failures::a_timeout_has_the_status_of_its_response_outside_and_is_cancelled_inside` |
//! | `ResponseBodyTimeoutLayer` | `failures::a_timeout_of_the_response_body_is_an_error_outside_and_a_cancellation_inside` |
//! | `RequestBodyTimeoutLayer` | `failures::a_timeout_of_the_request_body_is_answered_by_the_handler_in_both_orders` |
//! | `CatchPanicLayer` | `failures::a_panic_is_a_response_outside_of_catch_panic_and_a_panic_inside` |
//! | `CorsLayer` | `rejections::a_preflight_is_counted_outside_of_cors_and_does_not_reach_the_inside` |
//! | `GovernorLayer` of tower_governor | `rejections::a_rate_limited_request_is_counted_outside_of_the_limit_only` |
//! | `CompressionLayer` | `bodies::response_bytes_are_compressed_outside_of_compression_and_uncompressed_inside` |
//! | `RequestDecompressionLayer` | `bodies::request_bytes_are_compressed_outside_of_decompression_and_decompressed_inside` |
//! | `RequestBodyLimitLayer` | `bodies::a_body_above_the_limit_is_counted_outside_and_inside_only_if_its_length_is_not_declared` |
//! | `NormalizePathLayer` around the router | `paths::a_path_is_normalized_only_around_the_router_where_the_route_is_right_in_both_orders` |
//! | `ServeDir` in `nest_service` | `paths::files_have_the_path_of_their_nest_as_route_and_the_bytes_that_are_sent` |
//! | `GlobalConcurrencyLimitLayer` | `capacity::the_wait_for_a_permit_is_measured_outside_of_a_limit_unless_it_is_in_the_same_builder` |
//! | `BufferLayer` | `capacity::the_time_in_a_buffer_is_measured_outside_and_a_full_one_sheds_requests` |
//! | `LoadShedLayer` | `capacity::a_shed_request_is_a_response_outside_an_error_below_the_handler_and_nothing_inside` |
//! | `RetryLayer` | `attempts::retries_are_one_request_outside_and_one_for_each_attempt_inside` |
//! | `Hedge` | `attempts::a_hedged_request_is_one_outside_and_two_inside_one_of_them_cancelled` |
//! | interceptors of tonic | `rpc::a_call_that_an_interceptor_refuses_is_counted_outside_of_it_only` |

mod attempts;
mod bodies;
mod capacity;
mod failures;
mod guide;
mod observers;
mod paths;
mod rejections;
mod rpc;
mod servers;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::future::pending;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{Route, get, post};
use axum::{BoxError, Router};
use http_body_util::BodyExt;
use tachometer::middleware::MetricsService;
use tachometer::snapshot::Values;
use tachometer::{MetricsLayer, Registry};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::support::read::{numbers, sum};

/// A service with the layer somewhere in it, and its registry.
struct Stack {
    registry: Registry,
    service: BoxCloneSyncService<Request, Response, Infallible>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Stack {
    /// A router, as a server gets it: its layers are applied once, and not for each request.
    fn new(build: impl FnOnce(&Registry) -> Router) -> Self {
        Self::with_service(|registry| build(registry).with_state::<()>(()))
    }

    fn with_service<S>(build: impl FnOnce(&Registry) -> S) -> Self
    where
        S: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send>,
        S: Clone + Send + Sync + 'static,
    {
        let registry = Registry::new();
        let service = build(&registry).map_response(IntoResponse::into_response);
        Self {
            service: BoxCloneSyncService::new(service),
            registry,
        }
    }

    /// Makes a request and returns the response with an unread body.
    async fn open(&self, request: Request) -> Response {
        self.service.clone().oneshot(request).await.unwrap()
    }

    /// Makes a request and reads the whole response.
    async fn send(&self, request: Request) -> Answer {
        let (head, body) = self.open(request).await.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request(path)).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).body(body.into()).unwrap();
        self.send(request).await
    }

    #[track_caller]
    fn assert_counted(&self, lines: &[&str]) {
        assert_eq!(counted(&self.registry), lines);
    }

    /// Returns the sum of all durations.
    fn seconds(&self) -> f64 {
        seconds(&self.registry)
    }

    fn in_flight(&self) -> f64 {
        in_flight(&self.registry)
    }
}

fn request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

/// A body whose length is not known.
fn stream<const N: usize>(chunks: [&'static str; N]) -> Body {
    let chunks = chunks.map(Ok::<_, Infallible>);
    Body::from_stream(futures_util::stream::iter(chunks))
}

/// A layer whose durations are those of tokio's clock, which tests can pause.
fn metrics(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new()
        .registry(registry)
        .clock(|| tokio::time::Instant::now().into_std())
}

/// The routes of most tests.
fn routes(registry: &Registry) -> Router {
    let router = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .route("/upload", post(async |body: Bytes| body))
        .route("/never", get(pending::<()>))
        .route(
            "/panic",
            get(async || -> &str { panic!("part of the test") }),
        );
    watched(registry, router)
}

/// Asserts for each request that reaches the routes that it is the only one in flight.
fn watched(registry: &Registry, router: Router) -> Router {
    let registry = registry.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        assert_eq!(in_flight(&registry), 1.0);
        next.run(request)
    }))
}

fn in_flight(registry: &Registry) -> f64 {
    sum(registry, "http_requests_in_flight", &[])
}

/// Returns the routes with the layer outside of another one: in two calls of `Router::layer`, and
/// in one `ServiceBuilder`.
fn outside<L, B>(routes: fn(&Registry) -> Router, other: &L) -> [Stack; 2]
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request, Response = Response<B>, Error = Infallible, Future: Send>,
    L::Service: Clone + Send + Sync + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    [
        Stack::new(|registry| {
            let routes = routes(registry).layer(other.clone());
            routes.layer(metrics(registry))
        }),
        Stack::new(|registry| {
            let layers = ServiceBuilder::new().layer(metrics(registry));
            routes(registry).layer(layers.layer(other.clone()))
        }),
    ]
}

/// Returns the routes with the layer inside of another one: in two calls of `Router::layer`, and
/// in one `ServiceBuilder`.
fn inside<L, B, C>(routes: fn(&Registry) -> Router, other: &L) -> [Stack; 2]
where
    L: Layer<Route> + Layer<MetricsService<Route>> + Clone + Send + Sync + 'static,
    <L as Layer<Route>>::Service:
        Service<Request, Response = Response<B>, Error = Infallible, Future: Send>,
    <L as Layer<Route>>::Service: Clone + Send + Sync + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    <L as Layer<MetricsService<Route>>>::Service:
        Service<Request, Response = Response<C>, Error = Infallible, Future: Send>,
    <L as Layer<MetricsService<Route>>>::Service: Clone + Send + Sync + 'static,
    C: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    [
        Stack::new(|registry| {
            let routes = routes(registry).layer(metrics(registry));
            routes.layer(other.clone())
        }),
        Stack::new(|registry| {
            let layers = ServiceBuilder::new().layer(other.clone());
            routes(registry).layer(layers.layer(metrics(registry)))
        }),
    ]
}

/// Returns the router inside of another layer, and a layer around both. A second layer in the
/// router knows the routes.
fn around<L, B>(routes: fn(&Registry) -> Router, other: &L) -> Stack
where
    L: Layer<Router>,
    L::Service: Service<Request, Response = Response<B>, Error = Infallible, Future: Send>,
    L::Service: Clone + Send + Sync + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Stack::with_service(|registry| {
        let routes = routes(registry).layer(metrics(registry)).with_state(());
        metrics(registry).boxed().layer(other.layer(routes))
    })
}

/// What was counted for one method and route.
#[derive(Default)]
struct Endpoint {
    ends: BTreeMap<String, f64>,
    requests: BTreeMap<String, f64>,
    durations: BTreeMap<String, f64>,
    bytes_in: f64,
    bytes_out: f64,
    others: BTreeMap<String, f64>,
}

/// Returns all that a registry has counted, one line per method and route. A number that is not
/// zero and not expected here, such as a request in flight, is at the end of its line.
fn counted(registry: &Registry) -> Vec<String> {
    let mut endpoints: BTreeMap<String, Endpoint> = BTreeMap::new();
    for block in registry.gather() {
        let name = block.desc.name();
        if name.starts_with("tachometer_") {
            continue;
        }
        for (labels, number) in block.labels.iter().zip(numbers(&block)) {
            if number == 0.0 {
                continue;
            }
            let mut labels: BTreeMap<_, _> = labels.pairs().collect();
            let mut take = |label| labels.remove(label).unwrap_or_default().into_owned();
            let endpoint = format!("{} {}", take("method"), take("route"));
            let (outcome, status) = (take("outcome"), take("status"));
            let endpoint = endpoints.entry(endpoint).or_default();
            match name {
                "http_requests_total" => {
                    let mut end = format!("{outcome} {status}");
                    for (label, value) in labels {
                        write!(end, " {label}={value}").unwrap();
                    }
                    *endpoint.ends.entry(end).or_default() += number;
                    *endpoint.requests.entry(status).or_default() += number;
                }
                "http_request_duration_seconds" => {
                    *endpoint.durations.entry(status).or_default() += number;
                }
                "http_request_body_bytes_total" => endpoint.bytes_in += number,
                "http_response_body_bytes_total" => endpoint.bytes_out += number,
                _ => *endpoint.others.entry(name.to_owned()).or_default() += number,
            }
        }
    }
    endpoints.into_iter().map(line).collect()
}

fn line((name, endpoint): (String, Endpoint)) -> String {
    assert_eq!(endpoint.durations, endpoint.requests, "{name}");
    let ends = endpoint.ends.iter();
    let ends: Vec<_> = ends.map(|(end, count)| format!("{count} {end}")).collect();
    let (bytes_in, bytes_out) = (endpoint.bytes_in, endpoint.bytes_out);
    let mut line = format!(
        "{name}: {}; {bytes_in} bytes in, {bytes_out} out",
        ends.join(", ")
    );
    for (other, number) in endpoint.others {
        write!(line, "; {other} {number}").unwrap();
    }
    line
}

fn seconds(registry: &Registry) -> f64 {
    let blocks = registry.gather();
    let mut durations = blocks.filter(|block| block.desc.name() == "http_request_duration_seconds");
    durations.by_ref().fold(0.0, |sum, block| {
        let Values::Histogram(histograms) = &block.values else {
            panic!("durations are a histogram");
        };
        sum + histograms.iter().map(|one| one.totals().sum).sum::<f64>()
    })
}
