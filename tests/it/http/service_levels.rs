//! Service levels: the number of requests, and of those that met the target.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use tachometer::{Buckets, MetricsLayer, Registry};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::support::read::sum;
use crate::support::service::get_path;

const WITHIN: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_millis(251);

async fn answer(path: &str) -> Response {
    match path {
        "/slow" => sleep(SLOW).await,
        "/just" => sleep(WITHIN).await,
        "/never" => std::future::pending().await,
        "/fails" => return StatusCode::BAD_GATEWAY.into_response(),
        "/client" => return StatusCode::CONFLICT.into_response(),
        "/events" => {
            let pieces = stream::pending::<Result<&str, std::io::Error>>();
            let head = [(CONTENT_TYPE, "text/event-stream")];
            return (head, Body::from_stream(pieces)).into_response();
        }
        _ => {}
    }
    "done".into_response()
}

fn app(registry: &Registry) -> Router {
    let layer = MetricsLayer::new()
        .registry(registry)
        .clock(|| tokio::time::Instant::now().into_std())
        .service_level("/level/{case}", WITHIN);
    let handler = async |request: Request<Body>| answer(&request.uri().path()[6..]).await;
    Router::new()
        .route("/level/{case}", get(handler))
        .route("/other", get(async || "done"))
        .layer(layer)
}

#[tokio::test(start_paused = true)]
async fn a_service_level_counts_all_requests_of_its_route_and_those_that_met_it() {
    for (case, counted, good) in [
        ("done", 1.0, 1.0),
        ("just", 1.0, 1.0),
        ("slow", 1.0, 0.0),
        ("fails", 1.0, 0.0),
        ("client", 1.0, 1.0),
    ] {
        let registry = Registry::new();
        get_path(app(&registry), &format!("/level/{case}")).await;
        get_path(app(&registry), "/other").await;
        let all = sum(&registry, "http_service_level_requests_total", &[]);
        let labels = [
            ("route", "/level/{case}"),
            ("within", "0.25"),
            ("method", "GET"),
        ];
        let kept = sum(&registry, "http_service_level_good_requests_total", &labels);
        assert_eq!((all, kept), (counted, good), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_counters_of_a_service_level_start_at_zero_with_the_first_request() {
    let registry = Registry::new();
    let call = get_path(app(&registry), "/level/never");
    let mut call = std::pin::pin!(call);
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    let text = registry.export_prometheus();
    for metric in ["", "good_"] {
        let line = format!(
            "http_service_level_{metric}requests_total{{method=\"GET\",route=\"/level/{{case}}\",\
             within=\"0.25\"}} 0\n"
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_cancelled_within_the_target_is_not_counted_and_a_later_one_missed_it() {
    for (waits, counted) in [(WITHIN, 0.0), (SLOW, 1.0)] {
        let registry = Registry::new();
        let call = get_path(app(&registry), "/level/never");
        assert!(timeout(waits, call).await.is_err());
        let all = sum(&registry, "http_service_level_requests_total", &[]);
        let kept = sum(&registry, "http_service_level_good_requests_total", &[]);
        assert_eq!((all, kept), (counted, 0.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_meets_the_level_if_it_begins_in_time() {
    let registry = Registry::new();
    let request = Request::get("/level/events").body(Body::empty()).unwrap();
    let response = app(&registry).oneshot(request).await.unwrap();
    sleep(SLOW).await;
    drop(response);
    assert_eq!(
        sum(&registry, "http_service_level_good_requests_total", &[]),
        1.0
    );
}

#[tokio::test]
async fn a_route_can_have_its_own_buckets() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .route_buckets("/upload", Buckets::new(&[60.0, 600.0]).unwrap());
    let app = Router::new()
        .route("/upload", get(async || "done"))
        .route("/users/{id}", get(async || "a user"))
        .layer(layer);
    for path in ["/users/7", "/upload", "/users/8"] {
        get_path(app.clone(), path).await;
    }
    let text = registry.export_prometheus();
    let buckets = |route: &str| {
        let of = format!("http_request_duration_seconds_bucket{{method=\"GET\",route=\"{route}\"");
        text.lines().filter(|line| line.starts_with(&of)).count()
    };
    assert_eq!((buckets("/upload"), buckets("/users/{id}")), (3, 12));
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), 3.0);
    // One header, though there are several kinds of buckets.
    assert_eq!(
        text.matches("# TYPE http_request_duration_seconds ")
            .count(),
        1
    );
}
