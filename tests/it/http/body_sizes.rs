//! The sizes of request and response bodies.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use tachometer::middleware::RequestBody;
use tachometer::{Buckets, MetricsLayer, Registry};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::observed::observed;
use crate::support::read::sum;
use crate::support::service::get_path;

const REQUEST: &str = "http_request_body_size_bytes";
const RESPONSE: &str = "http_response_body_size_bytes";

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry).body_sizes()
}

/// Returns how many sizes were observed, and their sum.
fn sizes(registry: &Registry, metric: &str, labels: &[(&str, &str)]) -> (f64, f64) {
    (
        sum(registry, metric, labels),
        observed(registry, metric, labels),
    )
}

fn stream<const N: usize>(chunks: [&'static str; N]) -> Body {
    let chunks = chunks.map(Ok::<_, Infallible>);
    Body::from_stream(futures_util::stream::iter(chunks))
}

/// Reads two frames of the request, and responds with the rest.
async fn read_two_frames(request: Request) -> Response<Body> {
    let mut body = request.into_body();
    for _ in 0..2 {
        body.frame().await;
    }
    Response::new(body)
}

fn app(registry: &Registry) -> Router {
    Router::new()
        .route("/echo", any(async |body: Bytes| body))
        .route("/ignore", post(async || "four"))
        .route(
            "/first",
            post(async |request: Request| {
                request.into_body().frame().await;
            }),
        )
        .route("/rest", post(read_two_frames))
        .route(
            "/events",
            get(async || ([(CONTENT_TYPE, "text/event-stream")], stream(["12", "345"]))),
        )
        .route(
            "/pending",
            post(async |body: Bytes| -> Bytes {
                drop(body);
                std::future::pending().await
            }),
        )
        .route("/upgrade", get(async || StatusCode::SWITCHING_PROTOCOLS))
        .route("/missing", get(async || StatusCode::NOT_MODIFIED))
        .layer(layer(registry))
}

async fn send(app: &Router, method: Method, path: &str, body: impl Into<Body>) {
    let request = Request::builder().method(method).uri(path);
    let response = app.clone().oneshot(request.body(body.into()).unwrap());
    response.await.unwrap().into_body().collect().await.unwrap();
}

#[tokio::test]
async fn each_request_has_the_bytes_that_were_read_of_its_bodies() {
    for (method, path, body, status, request, response) in [
        (Method::POST, "/echo", Body::from("12345"), "200", 5.0, 5.0),
        (
            Method::POST,
            "/echo",
            stream(["12", "345"]),
            "200",
            5.0,
            5.0,
        ),
        (Method::GET, "/echo", Body::empty(), "200", 0.0, 0.0),
        (Method::HEAD, "/echo", Body::from("12345"), "200", 5.0, 0.0),
        (
            Method::POST,
            "/ignore",
            Body::from("12345"),
            "200",
            0.0,
            4.0,
        ),
        (
            Method::POST,
            "/first",
            stream(["12", "345"]),
            "200",
            2.0,
            0.0,
        ),
        (
            Method::POST,
            "/rest",
            stream(["1", "2", "345"]),
            "200",
            5.0,
            3.0,
        ),
        (Method::GET, "/events", Body::empty(), "200", 0.0, 5.0),
        (Method::GET, "/upgrade", Body::empty(), "101", 0.0, 0.0),
        (Method::GET, "/missing", Body::empty(), "304", 0.0, 0.0),
        (Method::GET, "/elsewhere", Body::empty(), "404", 0.0, 0.0),
    ] {
        let registry = Registry::new();
        send(&app(&registry), method.clone(), path, body).await;
        let route = if path == "/elsewhere" {
            "unmatched"
        } else {
            path
        };
        let labels = [
            ("method", method.as_str()),
            ("route", route),
            ("status", status),
        ];
        assert_eq!(sizes(&registry, REQUEST, &labels), (1.0, request), "{path}");
        assert_eq!(
            sizes(&registry, RESPONSE, &labels),
            (1.0, response),
            "{path}"
        );
        assert_eq!(sizes(&registry, REQUEST, &[]), (1.0, request), "{path}");
        assert_eq!(sizes(&registry, RESPONSE, &[]), (1.0, response), "{path}");
    }
}

#[tokio::test]
async fn a_request_without_a_response_has_a_size_of_its_own_body_only() {
    let registry = Registry::new();
    let request = Request::post("/pending").body(Body::from("12345")).unwrap();
    let mut future = Box::pin(app(&registry).oneshot(request));
    assert!((&mut future).now_or_never().is_none());
    assert_eq!(sizes(&registry, REQUEST, &[]), (0.0, 0.0));
    drop(future);
    assert_eq!(sizes(&registry, REQUEST, &[("status", "none")]), (1.0, 5.0));
    assert_eq!(sizes(&registry, RESPONSE, &[]), (0.0, 0.0));
}

#[tokio::test]
async fn a_cancelled_response_has_the_size_that_was_sent() {
    let registry = Registry::new();
    let request = Request::get("/events").body(Body::empty()).unwrap();
    let response = app(&registry).oneshot(request).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.is_some());
    drop(body);
    assert_eq!(sizes(&registry, RESPONSE, &[]), (1.0, 2.0));
    let cancelled = [("outcome", "cancelled_in_body")];
    assert_eq!(sum(&registry, "http_requests_total", &cancelled), 1.0);
}

#[tokio::test]
async fn a_body_that_is_read_after_the_end_of_the_request_counts_what_was_read_before() {
    let registry = Registry::new();
    let (sender, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let handler = post(async move |request: Request| {
        let mut body = request.into_body();
        body.frame().await;
        sender.send(body).unwrap();
    });
    let app = Router::new()
        .route("/later", handler)
        .layer(layer(&registry));
    send(&app, Method::POST, "/later", stream(["12", "345"])).await;
    let body = bodies.recv().await.unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "345");
    assert_eq!(sizes(&registry, REQUEST, &[]), (1.0, 2.0));
    assert_eq!(sum(&registry, "http_request_body_bytes_total", &[]), 5.0);
}

#[tokio::test]
async fn a_body_that_another_thread_reads_is_counted() {
    let registry = Registry::new();
    let handler = post(async |request: Request| {
        let read = tokio::task::spawn_blocking(|| request.into_body().collect().now_or_never());
        read.await.unwrap().unwrap().unwrap().to_bytes()
    });
    let app = Router::new()
        .route("/thread", handler)
        .layer(layer(&registry));
    send(&app, Method::POST, "/thread", stream(["12", "345"])).await;
    assert_eq!(sizes(&registry, REQUEST, &[]), (1.0, 5.0));
}

async fn collect<B>(request: http::Request<B>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: http_body::Body<Data = Bytes, Error = Infallible>,
{
    let body = request.into_body().collect().await?;
    Ok(Response::new(Full::new(body.to_bytes())))
}

/// The layer does not know the size of such a body, and does not guess it by its head.
#[tokio::test]
async fn a_body_of_another_type_has_no_size_unless_it_is_wrapped() {
    let request = |body: &'static str| {
        let request = http::Request::post("/").header(CONTENT_LENGTH, body.len());
        request.body(Full::<Bytes>::from(body)).unwrap()
    };
    let registry = Registry::new();
    let service = layer(&registry).layer(service_fn(collect::<Full<Bytes>>));
    for body in ["12345", ""] {
        let response = service.clone().oneshot(request(body)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    // The empty one, by its head.
    assert_eq!(sizes(&registry, REQUEST, &[]), (1.0, 0.0));
    assert_eq!(sizes(&registry, RESPONSE, &[]), (2.0, 5.0));
    assert_eq!(
        sum(&registry, "http_request_body_unmeasured_total", &[]),
        1.0
    );

    let registry = Registry::new();
    let service = layer(&registry)
        .wrap_request_body()
        .layer(service_fn(collect::<RequestBody<_>>));
    for body in ["12345", ""] {
        let response = service.clone().oneshot(request(body)).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(sizes(&registry, REQUEST, &[]), (2.0, 5.0));
}

#[tokio::test]
async fn nested_and_boxed_layers_observe_a_request_once_under_the_route_of_the_inner_one() {
    let registry = Registry::new();
    let inner: Router = Router::new()
        .route("/echo", post(async |body: Bytes| body))
        .layer(layer(&registry));
    let mut app = layer(&registry).boxed().layer(inner);
    let request = Request::post("/echo").body(Body::from("12345")).unwrap();
    let response = app.call(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    for metric in [REQUEST, RESPONSE] {
        assert_eq!(sizes(&registry, metric, &[("route", "/echo")]), (1.0, 5.0));
        assert_eq!(sizes(&registry, metric, &[]), (1.0, 5.0));
    }
}

#[tokio::test]
async fn custom_labels_and_classes_of_the_status_go_with_sizes() {
    let registry = Registry::new();
    let layer = layer(&registry).version_label().status_class();
    let app = Router::new()
        .route("/echo", post(async |body: Bytes| body))
        .layer(layer);
    send(&app, Method::POST, "/echo", "12345").await;
    let text = registry.export_prometheus();
    let line = r#"http_request_body_size_bytes_sum{method="POST",route="/echo",status="2xx"} 5"#;
    assert!(text.lines().any(|there| there == line), "{text}");
}

#[tokio::test]
async fn the_buckets_of_sizes_are_powers_of_four_or_those_of_the_setting() {
    let bounds = |registry: &Registry| {
        let text = registry.export_prometheus();
        let buckets = text.lines().filter(|line| line.starts_with(RESPONSE));
        let bounds = buckets.filter_map(|line| line.split_once("le=\"")?.1.split('"').next());
        let bounds = bounds.map(|bound| bound.parse::<f64>().unwrap());
        bounds.collect::<Vec<_>>()
    };
    let app = |layer: MetricsLayer| Router::new().route("/", get(async || "")).layer(layer);
    let registry = Registry::new();
    get_path(app(layer(&registry)), "/").await;
    let mut powers: Vec<_> = (4..14).map(|power| 4_f64.powi(power)).collect();
    powers.push(f64::INFINITY);
    assert_eq!(bounds(&registry), powers);

    let registry = Registry::new();
    let buckets = Buckets::new(&[10.0, 1e3]).unwrap();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .body_size_buckets(buckets);
    get_path(app(layer), "/").await;
    assert_eq!(bounds(&registry), [10.0, 1_000.0, f64::INFINITY]);
}

#[tokio::test]
async fn without_the_setting_there_are_no_sizes_and_scrapes_have_none() {
    let registry = Registry::new();
    let plain = MetricsLayer::new().registry(&registry);
    let app = Router::new().route("/", get(async || "")).layer(plain);
    get_path(app, "/").await;
    assert!(!registry.export_prometheus().contains("size"));

    let registry = Registry::new();
    let router = tachometer::MetricsRouter::new().registry(&registry).build();
    let app = Router::new()
        .nest("/metrics", router)
        .layer(layer(&registry));
    assert_eq!(get_path(app, "/metrics").await, StatusCode::OK);
    assert_eq!(sizes(&registry, RESPONSE, &[]), (0.0, 0.0));
}

/// An upgrade's optional state and that of the sizes are one.
#[test]
fn a_request_for_an_upgrade_has_sizes() {
    let registry = Registry::new();
    let handle = service_fn(async |_: Request| {
        Ok::<_, Infallible>(StatusCode::SWITCHING_PROTOCOLS.into_response())
    });
    let mut service = layer(&registry).layer(handle);
    let request = Request::get("/")
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "echo");
    let mut future = pin!(service.call(request.body(Body::empty()).unwrap()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_ready());
    assert_eq!(sizes(&registry, RESPONSE, &[("status", "101")]), (1.0, 0.0));
}
