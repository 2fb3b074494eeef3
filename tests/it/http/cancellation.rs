//! Cancellation over real connections. hyper stops polling a body after its declared length,
//! which must not count as a cancellation.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRAILER};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tachometer::{MetricsLayer, Registry};

use crate::support::loopback::{Caller, Server};
use crate::support::read::{sum, to_f64};
use crate::support::wait::until;

const CALLS: usize = 20;
const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// Routes whose bodies end in every way that HTTP knows.
fn app(registry: &Registry, version: Version) -> Router {
    // Over HTTP/1.1 hyper trusts `content-length` and does not poll for the end; over HTTP/2
    // it does.
    let asks_for_the_end = version == Version::HTTP_2;
    let pieces = || stream::iter(["one, ", "two, ", "three"]).map(Ok::<_, Infallible>);
    Router::new()
        .route("/full", get(async || "a body of a known length"))
        .route("/large", get(async || Bytes::from(vec![b'x'; 1 << 20])))
        .route("/empty", get(async || ()))
        .route("/no-content", get(async || StatusCode::NO_CONTENT))
        .route("/not-modified", get(async || StatusCode::NOT_MODIFIED))
        .route("/chunked", get(async move || Body::from_stream(pieces())))
        .route(
            "/declared",
            get(async move || {
                let body = if asks_for_the_end {
                    Body::from_stream(pieces())
                } else {
                    Body::from_stream(pieces().chain(stream::pending()))
                };
                Response::builder()
                    .header(CONTENT_LENGTH, "one, two, three".len())
                    .body(body)
                    .unwrap()
            }),
        )
        .route(
            "/trailers",
            get(async move || {
                let mut trailers = HeaderMap::new();
                trailers.insert("checksum", HeaderValue::from_static("42"));
                let frames = [
                    Frame::data(Bytes::from_static(b"one, two, three")),
                    Frame::trailers(trailers),
                ];
                let frames = stream::iter(frames.map(Ok::<_, Infallible>));
                let body = Body::new(StreamBody::new(frames));
                ([(TRAILER, "checksum")], body)
            }),
        )
        .route(
            "/events",
            get(async move || {
                (
                    [(CONTENT_TYPE, "text/event-stream")],
                    Body::from_stream(pieces()),
                )
            }),
        )
        .layer(MetricsLayer::new().registry(registry))
}

const ROUTES: [&str; 9] = [
    "/full",
    "/large",
    "/empty",
    "/no-content",
    "/not-modified",
    "/chunked",
    "/declared",
    "/trailers",
    "/events",
];

#[tokio::test]
async fn no_finished_response_is_counted_as_cancelled_over_http_1_and_2() {
    for version in VERSIONS {
        let registry = Registry::new();
        let server = Server::start(app(&registry, version)).await;
        let caller = Caller::new(version);
        for route in ROUTES {
            let url = format!("http://{}{route}", server.address);
            for method in [Method::GET, Method::HEAD] {
                for _ in 0..CALLS {
                    let answer = caller.call(method.clone(), &url).await.unwrap();
                    let bodiless = method == Method::HEAD;
                    let streamed =
                        ["/chunked", "/declared", "/trailers", "/events"].contains(&route);
                    if streamed && !bodiless {
                        assert_eq!(answer.body, "one, two, three");
                    }
                }
            }
        }
        drop(caller);
        server.stop().await;

        let calls = to_f64(ROUTES.len() * 2 * CALLS);
        let all = sum(&registry, "http_requests_total", &[]);
        let ok = sum(&registry, "http_requests_total", &[("outcome", "ok")]);
        assert_eq!((all, ok), (calls, calls), "{version:?}");
        for method in ["GET", "HEAD"] {
            let by_method = sum(&registry, "http_requests_total", &[("method", method)]);
            assert_eq!(by_method, calls / 2.0);
        }
        assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
    }
}

#[tokio::test]
async fn a_client_that_disconnects_is_counted_as_cancelled_over_http_1_and_2() {
    for version in VERSIONS {
        let registry = Registry::new();
        let app = Router::new()
            .route("/never", get(std::future::pending::<()>))
            .route(
                "/endless",
                get(async || {
                    let pieces = stream::repeat_with(|| Ok::<_, Infallible>("on and on "));
                    Body::from_stream(pieces)
                }),
            )
            .layer(MetricsLayer::new().registry(&registry));
        let server = Server::start(app).await;
        let at = |path| format!("http://{}{path}", server.address);

        let caller = Caller::new(version);
        let mut response = caller.open(Method::GET, &at("/endless")).await.unwrap();
        response.body_mut().frame().await.unwrap().unwrap();
        drop(response);

        let url = at("/never");
        let hangs_up = tokio::spawn(async move { caller.open(Method::GET, &url).await });
        // The request has arrived once it is in flight.
        until(|| sum(&registry, "http_requests_in_flight", &[("route", "/never")]) == 1.0).await;
        hangs_up.abort();
        let _ = hangs_up.await;
        server.stop().await;

        for (route, outcome) in [
            ("/never", "cancelled_before_head"),
            ("/endless", "cancelled_in_body"),
        ] {
            let labels = [("route", route), ("outcome", outcome)];
            assert_eq!(
                sum(&registry, "http_requests_total", &labels),
                1.0,
                "{route}"
            );
        }
        assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
        assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
    }
}
