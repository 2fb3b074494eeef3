//! Promise 2: recording allocates nothing once a series exists, has grown to its size, and this
//! thread has recorded a value of that magnitude. A request must have extensions, as in axum.
//!
//! A separate test program, since the allocator counts for the whole process.

use std::alloc::System;
use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, HeaderValue, Method, Request, Response, StatusCode};
use axum::routing::get;
use cap::Cap;
use tachometer::{Counter, Label, MetricsLayer, Registry};
use tower::{Layer, Service, service_fn};

const CALLS: usize = 10_000;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Returns how many bytes `run` allocates once it is warm.
fn allocated(mut run: impl FnMut()) -> usize {
    for _ in 0..CALLS {
        run();
    }
    let before = ALLOCATOR.total_allocated();
    for _ in 0..CALLS {
        run();
    }
    ALLOCATOR.total_allocated() - before
}

/// Returns the extensions that axum's router gives a request.
fn extensions() -> Extensions {
    let (sender, receiver) = mpsc::channel();
    let capture = async move |request: Request<Body>| {
        let (head, _) = request.into_parts();
        sender.send(head.extensions).expect("it is received");
    };
    let mut app = Router::new().route("/users/{id}", get(capture));
    let request = Request::get("/users/7").body(Body::empty());
    let mut future = pin!(app.call(request.expect("a valid request")));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_ready());
    receiver.recv().expect("the handler was called")
}

/// What the layer puts into the extensions has no size, either.
#[derive(Clone)]
struct Mark;

/// Returns how many bytes are allocated by calls of a service, which has been given the
/// extensions of axum's router.
fn allocated_by<S, B>(mut service: S, method: &Method) -> usize
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body,
{
    let extensions = extensions();
    let mut context = Context::from_waker(Waker::noop());
    allocated(move || {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.clone();
        *request.extensions_mut() = extensions.clone();
        let mut future = pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
            panic!("there is nothing to wait for");
        };
        let mut body = pin!(response.into_body());
        while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut context) {}
    })
}

/// One test, since the allocator counts for all threads.
#[test]
fn recording_allocates_nothing_after_warm_up() {
    handles_allocate_nothing();
    a_request_allocates_nothing();
    values_of_a_request_allocate_nothing();
}

fn handles_allocate_nothing() {
    let registry = Registry::new();
    let counter = registry.counter("counter", "").expect("a valid name");
    let gauge = registry.gauge("gauge", "").expect("a valid name");
    let histogram = registry.histogram("histogram", "").expect("a valid name");
    let names = ["method", "status"];
    let family = registry
        .counter_family("family", "", names)
        .expect("valid names")
        .limit(7);
    let values: Vec<_> = (0..100).map(|value| value.to_string()).collect();
    let mut flood = values.iter().cycle();
    let handles = allocated(|| {
        counter.inc();
        counter.inc_by(0.5);
        counter.inc_by(-1);
        gauge.inc();
        gauge.set(3);
        for value in [0.003, 0.2, 0.2001, 17.0, -4.0, 1e30, f64::NAN] {
            histogram.observe(value);
        }
        family.with(["GET", "200"]).inc();
        family.with_ref(["GET", "quoted \" and \\"], Counter::inc);
        family.with_static(["GET", "200"], Counter::inc);
        family.with_static(["PUT", "quoted \" and \\"], Counter::inc);
        // Most of these are past the limit.
        let value = flood.next().expect("it goes round");
        family.with_ref(["GET", value], Counter::inc);
        counter.inc_with_exemplar(1, &[("trace_id", value)]);
        histogram.observe_with_exemplar(0.2, &[("trace_id", value)]);
    });
    assert_eq!(handles, 0);
}

fn a_request_allocates_nothing() {
    let registry = Registry::new();
    for (method, status, body) in [
        (Method::GET, StatusCode::OK, "done"),
        (Method::HEAD, StatusCode::OK, "done"),
        (Method::GET, StatusCode::OK, ""),
        (Method::GET, StatusCode::NO_CONTENT, ""),
        (Method::GET, StatusCode::NOT_MODIFIED, ""),
    ] {
        let respond = move |_: Request<Body>| {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            ready(Ok::<_, Infallible>(response))
        };
        let bare = service_fn(move |mut request: Request<Body>| {
            request.extensions_mut().insert(Mark);
            respond(request)
        });
        let without = allocated_by(bare, &method);
        let layer = MetricsLayer::new().registry(&registry);
        let requests = allocated_by(layer.layer(service_fn(respond)), &method);
        assert_eq!(requests, without, "{method} {status} {body}");

        // The body of a response with one is in a box.
        let boxed = allocated_by(layer.boxed().layer(service_fn(respond)), &method) - without;
        let has_body = method == Method::GET && !body.is_empty();
        let most = if has_body { CALLS * 100 } else { 0 };
        assert!(boxed <= most, "{method} {status} {body}: {boxed} bytes");
    }
    let requests = registry.get("http_requests_total").expect("it is there");
    assert_eq!(requests.value(), 10.0 * 2.0 * CALLS as f64);
}

/// A layer whose requests have values to keep allocates its state once per request. The values that
/// closures take from requests and responses add nothing to it.
fn values_of_a_request_allocate_nothing() {
    const TENANT: &str = "a tenant with a name that is longer than what fits into a small buffer";
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let respond = |mut request: Request<Body>| {
        let mut response = Response::new(Body::empty());
        let tenant = request
            .headers_mut()
            .remove("x-tenant")
            .expect("it is there");
        response.headers_mut().insert("x-tenant", tenant);
        ready(Ok::<_, Infallible>(response))
    };
    let with_headers = |layer: MetricsLayer| {
        let registry = Registry::new();
        // With the system's clock, a slow request would be the first in its bucket.
        let now = Instant::now();
        let layer = layer.registry(&registry).clock(move || now);
        let mut service = layer.layer(service_fn(respond));
        let service = service_fn(move |mut request: Request<Body>| {
            let headers = request.headers_mut();
            headers.insert("x-tenant", HeaderValue::from_static(TENANT));
            headers.insert("traceparent", HeaderValue::from_static(TRACE));
            service.call(request)
        });
        (allocated_by(service, &Method::GET), registry)
    };
    let (with_state, _) = with_headers(MetricsLayer::new().time_to_first_byte());
    let layer = MetricsLayer::new()
        .time_to_first_byte()
        .label_from_request("tenant", |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        })
        .label_from_request(Label::closed("kind", [TENANT]), |_| Some(TENANT.into()))
        .label_from_request(Label::unlimited("unlimited"), |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        })
        .label_from_response("answered", |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        })
        .route_from(|head| Some(head.headers.get("x-tenant")?.to_str().ok()?.into()))
        .version_label()
        .exemplars();
    let (with_values, registry) = with_headers(layer);
    assert_eq!(with_values, with_state);
    let requests = registry.export_prometheus();
    let labels = format!("route=\"{TENANT}\",status=\"200\",tenant=\"{TENANT}\",kind=\"{TENANT}\"");
    assert!(requests.contains(&labels), "{requests}");
}
