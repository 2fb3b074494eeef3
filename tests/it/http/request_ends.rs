//! The closure of `MetricsLayer::on_request_end`. `one_outcome`, `chaos` and `runtime_shutdown` check
//! that it is called once for each request.

use std::convert::Infallible;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::BodyExt;
use tachometer::middleware::{Outcome, RequestEnd};
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::read::sum;
use crate::support::request_ends::RequestEnds;
use crate::support::service::get_path;
use crate::support::warnings::warnings;

const HEAD: Duration = Duration::from_millis(30);
const BODY: Duration = Duration::from_secs(2);

/// What the closure was given.
#[derive(Clone, Debug, PartialEq)]
struct End {
    request: (String, String),
    status: Option<u16>,
    outcome: Outcome,
    duration: Duration,
    time_to_head: Option<Duration>,
    stream_duration: Option<Duration>,
    tenant: Option<String>,
    /// Of the request and the response.
    bytes: (Option<u64>, u64),
}

impl From<&RequestEnd<'_>> for End {
    fn from(end: &RequestEnd<'_>) -> Self {
        assert_eq!(end.label("no_such_label"), None);
        Self {
            request: (end.method().to_owned(), end.route().to_owned()),
            status: end.status().map(|status| status.as_u16()),
            outcome: end.outcome(),
            duration: end.duration(),
            time_to_head: end.time_to_head(),
            stream_duration: end.stream_duration(),
            tenant: end.label("tenant").map(str::to_owned),
            bytes: (end.request_body_bytes(), end.response_body_bytes()),
        }
    }
}

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new()
        .registry(registry)
        .clock(|| tokio::time::Instant::now().into_std())
        .label_from_request("tenant", |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        })
}

fn slow_body() -> Body {
    let piece = stream::iter([()]).then(async |()| {
        sleep(BODY).await;
        Ok::<_, Infallible>("piece")
    });
    Body::from_stream(piece)
}

async fn events() -> impl IntoResponse {
    sleep(HEAD).await;
    ([(CONTENT_TYPE, "text/event-stream")], slow_body())
}

async fn download() -> Body {
    sleep(HEAD).await;
    slow_body()
}

fn request(method: Method, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("x-tenant", "acme");
    request.body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_gets_what_the_metrics_contain() {
    let registry = Registry::new();
    let ends: Arc<Mutex<Vec<End>>> = Arc::default();
    let layer = layer(&registry).label_limit(0).on_request_end({
        let ends = Arc::clone(&ends);
        move |end| ends.lock().unwrap().push(end.into())
    });
    let app = Router::new()
        .route(
            "/items/{id}",
            get(download).post(async |body: String| body.len().to_string()),
        )
        .route("/events", get(events))
        .route("/switch", get(async || StatusCode::SWITCHING_PROTOCOLS))
        .layer(layer);
    let call = async |method, path| {
        let response = app.clone().oneshot(request(method, path)).await.unwrap();
        response.into_body().collect().await.unwrap();
        ends.lock().unwrap().pop().unwrap()
    };
    let whole = End {
        request: ("GET".to_owned(), "/items/{id}".to_owned()),
        status: Some(200),
        outcome: Outcome::Ok,
        duration: HEAD + BODY,
        time_to_head: Some(HEAD),
        stream_duration: None,
        // The series has the tenant `_overflow`.
        tenant: Some("acme".to_owned()),
        bytes: (Some(0), 5),
    };
    assert_eq!(call(Method::GET, "/items/7").await, whole);
    let stream = End {
        request: ("GET".to_owned(), "/events".to_owned()),
        duration: HEAD,
        stream_duration: Some(HEAD + BODY),
        ..whole.clone()
    };
    assert_eq!(call(Method::GET, "/events").await, stream);
    let unmatched = End {
        request: ("_OTHER".to_owned(), "unmatched".to_owned()),
        status: Some(404),
        outcome: Outcome::ClientError,
        duration: Duration::ZERO,
        time_to_head: Some(Duration::ZERO),
        bytes: (Some(0), 0),
        ..whole.clone()
    };
    let method = Method::from_bytes(b"BREW").unwrap();
    assert_eq!(call(method, "/nowhere").await, unmatched);
    let upgraded = End {
        request: ("GET".to_owned(), "/switch".to_owned()),
        status: Some(101),
        outcome: Outcome::Upgraded,
        ..unmatched.clone()
    };
    assert_eq!(call(Method::GET, "/switch").await, upgraded);

    let cancelled = app.clone().oneshot(request(Method::GET, "/items/7"));
    assert!(tokio::time::timeout(HEAD / 3, cancelled).await.is_err());
    let end = ends.lock().unwrap().pop().unwrap();
    let expected = End {
        status: None,
        outcome: Outcome::CancelledBeforeHead,
        duration: HEAD / 3,
        time_to_head: None,
        bytes: (Some(0), 0),
        ..whole
    };
    assert_eq!(end, expected);

    let upload = Request::post("/items/7").body(Body::from("an item"));
    let response = app.oneshot(upload.unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let end = ends.lock().unwrap().pop().unwrap();
    assert_eq!((end.bytes, end.tenant), ((Some(7), 1), None));
    assert!(ends.lock().unwrap().is_empty());
}

#[tokio::test]
async fn bytes_of_a_request_body_that_are_not_counted_are_unknown() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let layer = MetricsLayer::new().registry(&Registry::new());
    let layer = layer.on_request_end({
        let ends = Arc::clone(&ends);
        move |end| ends.lock().unwrap().push(end.request_body_bytes())
    });
    let respond = |_| ready(Ok::<_, Infallible>(Response::new(String::new())));
    for length in ["0", "4"] {
        let request = Request::builder().header(CONTENT_LENGTH, length);
        let request: Request<String> = request.body("body".to_owned()).unwrap();
        let call = layer.layer(service_fn(respond)).oneshot(request);
        call.await.unwrap().into_body().collect().await.unwrap();
    }
    assert_eq!(*ends.lock().unwrap(), [Some(0), None]);
}

#[tokio::test]
async fn requests_that_are_not_counted_call_nothing() {
    let registry = Registry::new();
    let ends = RequestEnds::default();
    let inner = RequestEnds::default();
    let layer = || {
        let layer = MetricsLayer::new().registry(&registry);
        layer.skip(|_, uri| uri.path() == "/skip")
    };
    let scrapes = MetricsRouter::new().registry(&registry).build();
    let app = Router::new()
        .route("/a", get(async || "a"))
        .nest("/metrics", scrapes)
        .layer(inner.observe(layer()))
        .layer(ends.observe(layer()));
    let off = ends.observe(layer()).enabled(false).layer(app.clone());
    for path in ["/skip", "/metrics", "/a"] {
        get_path(app.clone(), path).await;
    }
    // Of two layers, the outer one counts, but here it is switched off.
    get_path(off, "/a").await;
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
    ends.assert_counted(&registry);
    inner.assert_counted(&Registry::new());
}

#[test]
fn a_panic_in_it_affects_no_request_and_is_counted() {
    let registry = Registry::new();
    // The prefix is not for metrics of the crate about itself.
    let handle = registry.clone().with_prefix("shop_").unwrap();
    let layer = MetricsLayer::new()
        .registry(&handle)
        .on_request_end(|_| resume_unwind(Box::new("part of the test")));
    let mut service = layer.layer(service_fn(|request: Request<String>| {
        if request.method() == Method::PUT {
            resume_unwind(Box::new("part of the test"));
        }
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    let call = || {
        for _ in 0..3 {
            let response = service.call(Request::new(String::new())).now_or_never();
            let body = response.unwrap().unwrap().into_body();
            body.collect().now_or_never().unwrap().unwrap();
            drop(service.call(Request::new(String::new())));
        }
        // The closure runs while the panic of the service unwinds.
        let mut request = Request::new(String::new());
        *request.method_mut() = Method::PUT;
        let call = AssertUnwindSafe(|| drop(service.call(request)));
        assert!(catch_unwind(call).is_err());
    };
    let messages = warnings(|| (), call);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("setting=\"on_request_end\""),
        "{messages:?}"
    );
    for (outcome, calls) in [("ok", 3.0), ("cancelled_before_head", 3.0), ("panic", 1.0)] {
        let labels = [("outcome", outcome)];
        assert_eq!(
            sum(&registry, "shop_http_requests_total", &labels),
            calls,
            "{outcome}"
        );
    }
    let labels = [("setting", "on_request_end")];
    assert_eq!(
        sum(&registry, "tachometer_closure_panics_total", &labels),
        7.0
    );
}

#[test]
fn it_may_record_scrape_and_make_requests_through_the_same_layer() {
    let registry = Registry::new();
    let calls = Arc::new(AtomicU32::new(0));
    let service: Arc<Mutex<Option<Router>>> = Arc::default();
    let layer = MetricsLayer::new().registry(&registry).on_request_end({
        let (registry, calls, service) =
            (registry.clone(), Arc::clone(&calls), Arc::clone(&service));
        move |end| {
            let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
            let counter = registry.counter_with("ended", "", [("route", end.route())]);
            counter.unwrap().inc();
            // The request is counted, and no longer in flight.
            let labels = [("route", end.route())];
            let number = f64::from(call);
            assert_eq!(sum(&registry, "http_requests_total", &labels), number);
            assert_eq!(
                sum(&registry, "http_request_duration_seconds", &labels),
                number
            );
            assert_eq!(sum(&registry, "http_requests_in_flight", &labels), 0.0);
            if call < 5 {
                let service = service.lock().unwrap().clone().unwrap();
                get_path(service, "/a").now_or_never().unwrap();
            }
        }
    });
    let app = Router::new().route("/a", get(async || "a")).layer(layer);
    *service.lock().unwrap() = Some(app.clone());
    get_path(app, "/a").now_or_never().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 5);
    assert_eq!(sum(&registry, "ended", &[]), 5.0);
    assert_eq!(sum(&registry, "tachometer_closure_panics_total", &[]), 0.0);
}
