//! Requests without a known route that are not counted.

use std::future::pending;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, ServiceExt};

use crate::support::observed::observed;
use crate::support::read::sum;
use crate::support::scenario::{Call, Scripted, begin, finish};
use crate::support::service::get_path;
use crate::support::warnings::warnings;

fn layer(registry: &Registry) -> MetricsLayer {
    let layer = MetricsLayer::new().registry(registry).skip_unmatched();
    layer.body_sizes().time_to_head().time_to_first_byte()
}

async fn send(app: &Router, method: Method, path: &str, body: &'static str) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::from(body)).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

/// Asserts that nothing was counted but what is in flight at 0.
#[track_caller]
fn assert_silent(registry: &Registry) {
    for block in registry.gather() {
        let name = block.desc.name().to_owned();
        for labels in block.labels.iter() {
            let is_gauge = name == "http_requests_in_flight";
            assert!(
                is_gauge || name.starts_with("tachometer_"),
                "{name} {labels:?}"
            );
        }
    }
    assert_eq!(sum(registry, "http_requests_in_flight", &[]), 0.0);
}

/// Reads the whole body before the routes, as a middleware for signatures does.
async fn read_first(request: Request, next: Next) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    next.run(Request::from_parts(head, body.into())).await
}

#[tokio::test]
async fn a_flood_of_404s_leaves_no_series_but_that_of_what_is_in_flight() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/known", post(async |body: Bytes| body))
        .layer(from_fn(read_first))
        .layer(layer(&registry));
    for number in 0..500 {
        let method = [Method::GET, Method::POST][number % 2].clone();
        send(&app, method, &format!("/scan/{number}"), "12345").await;
    }
    assert_silent(&registry);

    send(&app, Method::POST, "/known", "12345").await;
    // The wrong method of a known route has a route.
    send(&app, Method::GET, "/known", "").await;
    assert_eq!(
        sum(&registry, "http_requests_total", &[("route", "/known")]),
        2.0
    );
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
    assert_eq!(sum(&registry, "http_request_body_bytes_total", &[]), 5.0);
}

#[tokio::test]
async fn a_fallback_counts_unless_it_answers_404_or_405() {
    let registry = Registry::new();
    let fallback = async |request: Request| {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        (StatusCode::from_u16(path.parse().unwrap()).unwrap(), body)
    };
    let app = Router::new().fallback(fallback).layer(layer(&registry));
    for path in ["/404", "/405"] {
        send(&app, Method::POST, path, "12345").await;
    }
    assert_silent(&registry);
    for (number, path) in (1..).zip(["/200", "/403", "/500"]) {
        send(&app, Method::POST, path, "12345").await;
        // The bytes that were read before the head are under the final route.
        let labels = [("route", "fallback")];
        let number = f64::from(number);
        assert_eq!(sum(&registry, "http_requests_total", &labels), number);
        for body in ["request", "response"] {
            let bytes = sum(&registry, &format!("http_{body}_body_bytes_total"), &labels);
            assert_eq!(bytes, 5.0 * number, "{body} {path}");
            let size = format!("http_{body}_body_size_bytes");
            assert_eq!(observed(&registry, &size, &labels), 5.0 * number);
        }
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 3.0);
}

#[tokio::test]
async fn a_nested_service_and_a_named_fallback_count_with_every_status() {
    let registry = Registry::new();
    let files = || Router::new().fallback(async || StatusCode::NOT_FOUND);
    let named = MetricsLayer::new().registry(&registry).body_sizes();
    let named = named.time_to_head().time_to_first_byte();
    let app = Router::new()
        .nest_service("/static", files())
        .fallback_service(named.fallback_route("files").layer(files()))
        .layer(layer(&registry));
    for path in ["/static/missing", "/elsewhere"] {
        assert_eq!(get_path(app.clone(), path).await, StatusCode::NOT_FOUND);
    }
    for route in ["/static", "files"] {
        let labels = [("route", route), ("status", "404")];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{route}"
        );
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
}

/// The route becomes known after a middleware between the layers has read the body.
#[tokio::test]
async fn the_outer_of_two_layers_decides_and_uses_the_route_of_the_inner_one() {
    let registry = Registry::new();
    let inner: Router = Router::new()
        .route("/known", post(async |body: Bytes| body))
        .layer(layer(&registry));
    let app = layer(&registry).layer(inner.clone().layer(from_fn(read_first)));
    let app = Router::new().fallback_service(app);
    send(&app, Method::POST, "/scan", "12345").await;
    assert_silent(&registry);
    send(&app, Method::POST, "/known", "12345").await;
    for metric in [
        "http_request_body_bytes_total",
        "http_response_body_bytes_total",
    ] {
        assert_eq!(
            sum(&registry, metric, &[("route", "/known")]),
            5.0,
            "{metric}"
        );
        assert_eq!(sum(&registry, metric, &[]), 5.0, "{metric}");
    }

    // An outer layer without the setting counts.
    let registry = Registry::new();
    let plain = MetricsLayer::new().registry(&registry);
    let app = plain.clone().layer(inner_router(&registry));
    get_path(app, "/scan").await;
    assert_eq!(
        sum(&registry, "http_requests_total", &[("route", "unmatched")]),
        1.0
    );
}

fn inner_router(registry: &Registry) -> Router {
    let inner = MetricsLayer::new().registry(registry).skip_unmatched();
    Router::new()
        .route("/known", get(async || "known"))
        .layer(inner)
}

#[tokio::test]
async fn a_request_that_ends_before_its_head_counts_as_fallback() {
    let registry = Registry::new();
    let app = Router::new()
        .fallback(async |body: Bytes| -> StatusCode {
            drop(body);
            pending().await
        })
        .layer(layer(&registry));
    let request = Request::post("/scan").body(Body::from("12345")).unwrap();
    let mut future = Box::pin(app.oneshot(request));
    assert!((&mut future).now_or_never().is_none());
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 1.0);
    assert_eq!(sum(&registry, "http_request_body_bytes_total", &[]), 0.0);
    drop(future);
    let labels = [("route", "fallback"), ("outcome", "cancelled_before_head")];
    assert_eq!(sum(&registry, "http_requests_total", &labels), 1.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
    let bytes = [("route", "fallback")];
    assert_eq!(sum(&registry, "http_request_body_bytes_total", &bytes), 5.0);
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn bytes_that_are_read_after_the_end_of_a_request_without_a_route_are_not_counted() {
    let registry = Registry::new();
    let (sender, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let fallback = async move |request: Request| {
        let status = StatusCode::from_u16(request.uri().path()[1..].parse().unwrap());
        sender.send(request.into_body()).unwrap();
        status.unwrap()
    };
    let app = Router::new().fallback(fallback).layer(layer(&registry));
    for path in ["/404", "/200"] {
        send(&app, Method::POST, path, "12345").await;
        let body = bodies.recv().await.unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "12345");
    }
    assert_eq!(sum(&registry, "http_request_body_bytes_total", &[]), 0.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

/// However such a request ends: after the head of a 404, nothing of it counts.
#[test]
fn of_random_requests_those_with_a_404_are_missing_and_all_others_exact() {
    let registry = Registry::new();
    let mut service = layer(&registry).wrap_request_body().layer(Scripted);
    let mut random = fastrand::Rng::with_seed(24);
    let (mut requests, mut read, mut passed, mut skipped) = (0, 0, 0, 0);
    for _ in 0..20_000 {
        let call = Call::random(&mut random);
        if call.expected().0 == "404" {
            skipped += 1;
        } else {
            requests += 1;
            read += call.uploaded();
            passed += call.bytes();
        }
        if let Some(future) = begin(&mut service, call) {
            finish(call, future);
        }
    }
    assert!(skipped > 1_000);
    for (metric, number) in [
        ("http_requests_total", requests),
        ("http_request_duration_seconds", requests),
        ("http_request_body_size_bytes", requests),
        ("http_request_body_bytes_total", read),
        ("http_response_body_bytes_total", passed),
        ("http_requests_in_flight", 0),
        ("http_streams_in_flight", 0),
    ] {
        assert_eq!(sum(&registry, metric, &[]), f64::from(number), "{metric}");
        let unmatched = sum(&registry, metric, &[("route", "unmatched")]);
        assert_eq!(unmatched, 0.0, "{metric}");
    }
    let read_sizes = observed(&registry, "http_request_body_size_bytes", &[]);
    let passed_sizes = observed(&registry, "http_response_body_size_bytes", &[]);
    assert_eq!(
        (read_sizes, passed_sizes),
        (f64::from(read), f64::from(passed))
    );
}

#[test]
fn a_layer_that_skips_all_requests_still_warns() {
    let registry = Registry::new();
    let app: Router = Router::new()
        .layer(layer(&registry))
        .route("/known", get(async || ""));
    let warned = warnings(
        || {},
        || {
            for _ in 0..100 {
                get_path(app.clone(), "/scan").now_or_never().unwrap();
            }
        },
    );
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("matched no"), "{warned:?}");
}
