//! Timeouts and panics.

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use tachometer::Registry;
use tower::timeout::TimeoutLayer as TowerTimeoutLayer;
use tower::{BoxError, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer};

use super::{Stack, around, inside, metrics, outside, request, routes, watched};

const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_timeout_has_the_status_of_its_response_outside_and_is_cancelled_inside() {
    for (status, outcome) in [(504, "server_error"), (408, "client_error")] {
        let timeout = StatusCode::from_u16(status).unwrap();
        let timeout = TimeoutLayer::with_status_code(timeout, LIMIT);
        let response = format!("GET /never: 1 {outcome} {status}; 0 bytes in, 0 out");
        let cancelled = "GET /never: 1 cancelled_before_head none; 0 bytes in, 0 out";
        for (stacks, line) in [
            (outside(routes, &timeout), &*response),
            (inside(routes, &timeout), cancelled),
        ] {
            for stack in stacks {
                assert_eq!(stack.get("/never").await.status, status);
                let user = "GET /users/{id}: 1 ok 200; 0 bytes in, 6 out";
                stack.get("/users/7").await;
                stack.assert_counted(&[line, user]);
                assert_eq!(stack.seconds(), 3.0);
            }
        }
        let stack = around(routes, &timeout);
        assert_eq!(stack.get("/never").await.status, status);
        stack.assert_counted(&[&response]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_towers_timeout_is_a_response_only_outside_of_the_error_handler() {
    let handler = || {
        HandleErrorLayer::new(async |error: BoxError| {
            (StatusCode::GATEWAY_TIMEOUT, error.to_string())
        })
    };
    let timeout = || TowerTimeoutLayer::new(LIMIT);
    for (stack, line) in [
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(metrics(registry))
                    .layer(handler());
                routes(registry).layer(layers.layer(timeout()))
            }),
            "GET /never: 1 server_error 504; 0 bytes in, 17 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(handler())
                    .layer(metrics(registry));
                routes(registry).layer(layers.layer(timeout()))
            }),
            "GET /never: 1 service_error none; 0 bytes in, 0 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(timeout());
                routes(registry).layer(layers.layer(metrics(registry)))
            }),
            "GET /never: 1 cancelled_before_head none; 0 bytes in, 0 out",
        ),
    ] {
        assert_eq!(stack.get("/never").await.status, 504);
        stack.assert_counted(&[line]);
        assert_eq!(stack.seconds(), 3.0);
    }
}

/// A response that stops after three bytes.
fn stalls(registry: &Registry) -> Router {
    let download = get(async || {
        let chunks = stream::iter([Ok::<_, Infallible>("one")]).chain(stream::pending());
        Body::from_stream(chunks)
    });
    watched(registry, Router::new().route("/download", download))
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_response_body_is_an_error_outside_and_a_cancellation_inside() {
    let timeout = ResponseBodyTimeoutLayer::new(LIMIT);
    for (stacks, line) in [
        (
            outside(stalls, &timeout),
            "GET /download: 1 body_error 200; 0 bytes in, 3 out",
        ),
        (
            inside(stalls, &timeout),
            "GET /download: 1 cancelled_in_body 200; 0 bytes in, 3 out",
        ),
    ] {
        for stack in stacks {
            let body = stack.open(request("/download")).await.into_body();
            body.collect().await.unwrap_err();
            stack.assert_counted(&[line]);
            assert_eq!(stack.seconds(), 3.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_request_body_is_answered_by_the_handler_in_both_orders() {
    let timeout = RequestBodyTimeoutLayer::new(LIMIT);
    let upload = || {
        let chunks = stream::iter([Ok::<_, Infallible>("one")]).chain(stream::pending());
        Body::from_stream(chunks)
    };
    let line = "POST /upload: 1 client_error 400; 3 bytes in";
    for stack in outside(routes, &timeout) {
        let answer = stack.post("/upload", upload()).await;
        stack.assert_counted(&[&format!("{line}, {} out", answer.body.len())]);
    }
    let [two_calls, one_builder] = inside(routes, &timeout);
    let answer = two_calls.post("/upload", upload()).await;
    two_calls.assert_counted(&[&format!("{line}, {} out", answer.body.len())]);
    // In one `ServiceBuilder`, the type of the body is the timeout's.
    let answer = one_builder.post("/upload", upload()).await;
    let line = format!(
        "POST /upload: 1 client_error 400; 0 bytes in, {} out; \
         http_request_body_unmeasured_total 1",
        answer.body.len()
    );
    one_builder.assert_counted(&[&line]);
}

#[tokio::test]
async fn a_panic_is_a_response_outside_of_catch_panic_and_a_panic_inside() {
    let catch = CatchPanicLayer::new();
    let response = "GET /panic: 1 server_error 500; 0 bytes in, 16 out";
    let panic = "GET /panic: 1 panic none; 0 bytes in, 0 out";
    for (stacks, line) in [
        (outside(routes, &catch), response),
        (inside(routes, &catch), panic),
    ] {
        for stack in stacks {
            let answer = stack.get("/panic").await;
            assert_eq!(
                (answer.status, &*answer.body),
                (StatusCode::INTERNAL_SERVER_ERROR, &b"Service panicked"[..])
            );
            stack.assert_counted(&[line]);
        }
    }
    let stack = around(routes, &catch);
    stack.get("/panic").await;
    stack.assert_counted(&[response]);
}

/// A response whose body panics after three bytes.
fn panics_in_body(registry: &Registry) -> Router {
    let download = get(async || {
        let panics = stream::once(poll_fn(|_| panic!("part of the test")));
        let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from("one"))]).chain(panics);
        Body::from_stream(chunks)
    });
    watched(registry, Router::new().route("/download", download))
}

#[tokio::test]
async fn a_panic_of_the_body_is_not_caught_and_is_counted_in_both_orders() {
    let catch = CatchPanicLayer::new();
    let stacks = [
        outside(panics_in_body, &catch),
        inside(panics_in_body, &catch),
    ];
    for stack in stacks.into_iter().flatten() {
        let body = stack.open(request("/download")).await.into_body();
        let read = tokio::spawn(body.collect()).await;
        assert!(read.unwrap_err().is_panic());
        stack.assert_counted(&["GET /download: 1 panic 200; 0 bytes in, 3 out"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_does_not_end_a_response_whose_head_was_sent() {
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LIMIT);
    let stacks = [outside(stalls, &timeout), inside(stalls, &timeout)];
    for stack in stacks.into_iter().flatten() {
        let mut body = stack.open(request("/download")).await.into_body();
        body.frame().await.unwrap().unwrap();
        let more = tokio::time::timeout(2 * LIMIT, body.frame()).await;
        assert!(more.is_err());
        assert_eq!(stack.in_flight(), 1.0);
        drop(body);
        stack.assert_counted(&["GET /download: 1 cancelled_in_body 200; 0 bytes in, 3 out"]);
        assert_eq!(stack.seconds(), 6.0);
    }
}
