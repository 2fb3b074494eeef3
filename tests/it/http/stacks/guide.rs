//! The stack that the HTTP guide recommends.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use axum::http::{Method, StatusCode, Version};
use axum::routing::get;
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use super::{Stack, counted, in_flight, metrics, request, routes};
use crate::support::loopback::{Caller, Server};
use crate::support::wait::until;

/// The stack of "A whole stack" in `docs/middleware-order.md`.
fn stack(routes: Router, layer: MetricsLayer) -> Router {
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(layer)
        .layer(TraceLayer::new_for_http())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(10),
        ))
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyLimitLayer::new(1024));
    routes.layer(layers)
}

#[tokio::test(start_paused = true)]
async fn every_request_through_the_recommended_stack_is_counted_as_its_client_sees_it() {
    let stack = Stack::new(|registry| stack(routes(registry), metrics(registry)));
    let with = |method: Method, path, header, value: &str, body: &'static str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header, value);
        request.body(Body::from(body)).unwrap()
    };
    let mut bytes = 0;
    for (request, status) in [
        (request("/users/7"), 200),
        (request("/elsewhere"), 404),
        (request("/panic"), 500),
        (request("/never"), 504),
        (
            with(Method::POST, "/upload", CONTENT_LENGTH, "5", "12345"),
            200,
        ),
        (
            with(Method::POST, "/upload", CONTENT_LENGTH, "1025", ""),
            413,
        ),
        (
            with(Method::OPTIONS, "/users/7", ACCEPT_ENCODING, "gzip", ""),
            200,
        ),
        (
            with(Method::GET, "/users/8", ACCEPT_ENCODING, "gzip", ""),
            200,
        ),
    ] {
        let answer = stack.send(request).await;
        assert_eq!(answer.status, status);
        bytes += answer.body.len();
    }
    assert_eq!(bytes, 6 + 16 + 5 + 21 + 6);
    stack.assert_counted(&[
        "GET /never: 1 server_error 504; 0 bytes in, 0 out",
        "GET /panic: 1 server_error 500; 0 bytes in, 16 out",
        "GET /users/{id}: 2 ok 200; 0 bytes in, 12 out",
        "GET unmatched: 1 client_error 404; 0 bytes in, 0 out",
        "OPTIONS /users/{id}: 1 ok 200; 0 bytes in, 0 out",
        "POST /upload: 1 client_error 413, 1 ok 200; 5 bytes in, 26 out",
    ]);
}

#[tokio::test]
async fn clients_that_leave_the_recommended_stack_are_cancelled_before_the_head_or_in_the_body() {
    let registry = Registry::new();
    let endless = get(async || {
        let chunk = stream::iter([Ok::<_, Infallible>("chunk")]);
        Body::from_stream(chunk.chain(stream::pending()))
    });
    let routes = routes(&registry).route("/endless", endless);
    let layer = MetricsLayer::new().registry(&registry);
    let server = Server::start(stack(routes, layer)).await;
    let url = |path| format!("http://{}{path}", server.address);

    let caller = Caller::new(Version::HTTP_11);
    let never = url("/never");
    let call = tokio::spawn(async move { caller.get(&never).await });
    until(|| in_flight(&registry) == 1.0).await;
    call.abort();
    until(|| in_flight(&registry) == 0.0).await;

    let caller = Caller::new(Version::HTTP_2);
    let response = caller.open(Method::GET, &url("/endless")).await.unwrap();
    response.into_body().frame().await.unwrap().unwrap();
    drop(caller);
    server.stop().await;
    assert_eq!(
        counted(&registry),
        [
            "GET /endless: 1 cancelled_in_body 200; 0 bytes in, 5 out",
            "GET /never: 1 cancelled_before_head none; 0 bytes in, 0 out",
        ]
    );
}
