//! Streams, and the times to the head and to the first byte, with a clock set by the tests.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tachometer::snapshot::HistogramStats;
use tachometer::{Buckets, MetricsLayer, Registry};
use tokio::time::sleep;
use tower::ServiceExt;

use crate::support::read::sum;

const HEAD: Duration = Duration::from_millis(30);
const PIECE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A chunk per minute, for an hour.
fn chunks() -> Body {
    let pieces = stream::iter(0..60).then(async |_| {
        sleep(PIECE).await;
        Ok::<_, Infallible>("data: 1\n\n")
    });
    Body::from_stream(pieces)
}

async fn events() -> impl IntoResponse {
    sleep(HEAD).await;
    (
        [(CONTENT_TYPE, "text/event-stream; charset=utf-8")],
        chunks(),
    )
}

async fn download() -> Body {
    sleep(HEAD).await;
    chunks()
}

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new()
        .registry(registry)
        .clock(|| tokio::time::Instant::now().into_std())
}

fn app(layer: MetricsLayer) -> Router {
    Router::new()
        .route("/events", get(events))
        .route("/watch", get(download))
        .route("/download", get(download))
        .layer(layer)
}

async fn call(app: &Router, method: Method, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// Returns the observations of a histogram for a route, over all other labels.
fn seconds(registry: &Registry, metric: &str, route: &str) -> HistogramStats {
    let status = ("status", "200");
    let labels = [("method", "GET"), ("route", route), status];
    let labels = if metric == "http_stream_duration_seconds" {
        &labels[..2]
    } else {
        &labels[..]
    };
    registry.histogram_with(metric, "", labels).unwrap().stats()
}

#[tokio::test(start_paused = true)]
async fn the_duration_of_a_stream_ends_with_its_head() {
    let registry = Registry::new();
    let app = app(layer(&registry).stream_route("/watch"));
    for route in ["/events", "/watch"] {
        let mut body = call(&app, Method::GET, route).await.into_body();
        let labels = [("route", route)];
        assert_eq!(sum(&registry, "http_streams_in_flight", &labels), 1.0);
        body.frame().await.unwrap().unwrap();
        // The bytes are counted while the stream runs.
        assert_eq!(
            sum(&registry, "http_response_body_bytes_total", &labels),
            9.0
        );
        assert_eq!(sum(&registry, "http_requests_total", &labels), 0.0);
        body.collect().await.unwrap();

        assert_eq!(sum(&registry, "http_streams_in_flight", &labels), 0.0);
        let duration = seconds(&registry, "http_request_duration_seconds", route);
        assert_eq!((duration.count, duration.max), (1, HEAD.as_secs_f64()));
        let life = seconds(&registry, "http_stream_duration_seconds", route);
        assert_eq!((life.count, life.max), (1, (HEAD + HOUR).as_secs_f64()));
    }
    // The duration of a response that is no stream ends with its body.
    call(&app, Method::GET, "/download")
        .await
        .into_body()
        .collect()
        .await
        .unwrap();
    let duration = seconds(&registry, "http_request_duration_seconds", "/download");
    assert_eq!(duration.max, (HEAD + HOUR).as_secs_f64());
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn the_response_to_a_head_request_is_no_stream() {
    let registry = Registry::new();
    let app = app(layer(&registry).stream_route("/watch"));
    for route in ["/events", "/watch"] {
        call(&app, Method::HEAD, route)
            .await
            .into_body()
            .collect()
            .await
            .unwrap();
    }
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 0.0);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("outcome", "ok")]),
        2.0
    );
}

#[tokio::test(start_paused = true)]
async fn head_first_byte_and_end_are_measured_separately() {
    let registry = Registry::new();
    let app = app(layer(&registry).time_to_head().time_to_first_byte());
    call(&app, Method::GET, "/download")
        .await
        .into_body()
        .collect()
        .await
        .unwrap();
    // It sends no byte.
    drop(call(&app, Method::GET, "/events").await);
    call(&app, Method::HEAD, "/download")
        .await
        .into_body()
        .collect()
        .await
        .unwrap();

    for (metric, took) in [
        ("http_time_to_head_seconds", HEAD),
        ("http_time_to_first_byte_seconds", HEAD + PIECE),
        ("http_request_duration_seconds", HEAD + HOUR),
    ] {
        let stats = seconds(&registry, metric, "/download");
        assert_eq!(
            (stats.count, stats.max),
            (1, took.as_secs_f64()),
            "{metric}"
        );
    }
    assert_eq!(sum(&registry, "http_time_to_head_seconds", &[]), 3.0);
    assert_eq!(sum(&registry, "http_time_to_first_byte_seconds", &[]), 1.0);
}

#[tokio::test]
async fn a_clock_that_panics_or_goes_back_fails_no_request() {
    let registry = Registry::new();
    let long_ago = std::time::Instant::now();
    for clock in [
        Box::new(move || long_ago) as Box<dyn Fn() -> std::time::Instant + Send + Sync>,
        Box::new(|| panic!("part of the test")),
    ] {
        let app = app(MetricsLayer::new().registry(&registry).clock(clock));
        drop(call(&app, Method::GET, "/nowhere").await);
    }
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), 2.0);
}

#[tokio::test]
async fn events_of_known_length_are_no_stream() {
    let registry = Registry::new();
    let events = async || ([(CONTENT_TYPE, "text/event-stream")], "data: 1\n\n");
    let app = Router::new()
        .route("/events", get(events))
        .layer(layer(&registry));
    call(&app, Method::GET, "/events")
        .await
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 0.0);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("outcome", "ok")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_streaming_route_is_a_stream_for_any_length_of_response() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/watch", get(async || "of a known length"))
        .layer(layer(&registry).stream_route("/watch"));
    call(&app, Method::GET, "/watch")
        .await
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 1.0);
    assert_eq!(sum(&registry, "http_streams_in_flight", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn stream_histograms_have_the_buckets_and_statuses_of_the_duration() {
    let registry = Registry::new();
    let layer = layer(&registry)
        .buckets(Buckets::new(&[60.0]).unwrap())
        .status_class()
        .time_to_head()
        .time_to_first_byte();
    let body = call(&app(layer), Method::GET, "/download")
        .await
        .into_body();
    body.collect().await.unwrap();
    let text = registry.export_prometheus();
    for (clock, expected) in [
        ("http_time_to_head_seconds", 1),
        ("http_time_to_first_byte_seconds", 0),
        ("http_request_duration_seconds", 0),
    ] {
        let labels = "{method=\"GET\",route=\"/download\",status=\"2xx\",le=\"60.0\"}";
        let line = format!("{clock}_bucket{labels} {expected}\n");
        assert!(text.contains(&line), "{line} in {text}");
    }
}
