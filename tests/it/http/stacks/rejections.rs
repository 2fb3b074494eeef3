//! Middleware that answers requests itself: CORS preflights and rate limits.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use tower::{Layer, ServiceBuilder};
use tower_governor::GovernorLayer;
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::GlobalKeyExtractor;
use tower_http::cors::CorsLayer;

use super::{Stack, around, inside, metrics, outside, routes};

fn preflight() -> Request {
    Request::options("/users/7")
        .header(ORIGIN, "https://example.com")
        .header(ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .body(Body::empty())
        .unwrap()
}

fn cross_origin() -> Request {
    let request = Request::get("/users/7").header(ORIGIN, "https://example.com");
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_preflight_is_counted_outside_of_cors_and_does_not_reach_the_inside() {
    let cors = CorsLayer::permissive();
    let get = "GET /users/{id}: 1 ok 200; 0 bytes in, 6 out";
    let options = "OPTIONS /users/{id}: 1 ok 200; 0 bytes in, 0 out";
    for (stacks, lines) in [
        (outside(routes, &cors), &[get, options][..]),
        (inside(routes, &cors), &[get][..]),
    ] {
        for stack in stacks {
            for request in [preflight(), cross_origin()] {
                let answer = stack.send(request).await;
                assert_eq!(answer.status, StatusCode::OK);
                assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            }
            stack.assert_counted(lines);
        }
    }
    // The request does not reach the router, so its route is not known.
    let stack = around(routes, &cors);
    stack.send(preflight()).await;
    stack.send(cross_origin()).await;
    stack.assert_counted(&[get, "OPTIONS fallback: 1 ok 200; 0 bytes in, 0 out"]);
}

#[tokio::test]
async fn a_rate_limited_request_is_counted_outside_of_the_limit_only() {
    // One request a day.
    let governor = || {
        let mut builder = GovernorConfigBuilder::default().key_extractor(GlobalKeyExtractor);
        GovernorLayer::new(builder.per_second(86_400).burst_size(1).finish().unwrap())
    };
    let ok = "1 ok 200";
    for (stack, ends, response) in [
        (
            Stack::new(|registry| {
                let routes = routes(registry).layer(governor());
                routes.layer(metrics(registry))
            }),
            "1 client_error 429, 1 ok 200",
            true,
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(metrics(registry));
                routes(registry).layer(layers.layer(governor()))
            }),
            "1 client_error 429, 1 ok 200",
            true,
        ),
        (
            Stack::new(|registry| {
                let routes = routes(registry).layer(metrics(registry));
                routes.layer(governor())
            }),
            ok,
            false,
        ),
        // In one `ServiceBuilder`, it needs responses with axum's body.
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(governor());
                routes(registry).layer(layers.layer(metrics(registry).boxed()))
            }),
            ok,
            false,
        ),
    ] {
        assert_eq!(stack.get("/users/7").await.status, StatusCode::OK);
        let answer = stack.get("/users/8").await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        let bytes = 6 + if response { answer.body.len() } else { 0 };
        stack.assert_counted(&[&format!(
            "GET /users/{{id}}: {ends}; 0 bytes in, {bytes} out"
        )]);
    }
    let stack = Stack::with_service(|registry| {
        let routes = routes(registry).layer(metrics(registry)).with_state(());
        metrics(registry).boxed().layer(governor().layer(routes))
    });
    stack.get("/users/7").await;
    let bytes = stack.get("/users/8").await.body.len();
    stack.assert_counted(&[
        "GET /users/{id}: 1 ok 200; 0 bytes in, 6 out",
        &format!("GET fallback: 1 client_error 429; 0 bytes in, {bytes} out"),
    ]);
}

#[tokio::test]
async fn a_rate_limit_that_finds_no_address_answers_500_outside_of_the_layer() {
    // As in a server without `into_make_service_with_connect_info`.
    let governor = || GovernorLayer::new(GovernorConfig::default());
    let outside = Stack::new(|registry| {
        let routes = routes(registry).layer(governor());
        routes.layer(metrics(registry))
    });
    let inside = Stack::new(|registry| {
        let routes = routes(registry).layer(metrics(registry));
        routes.layer(governor())
    });
    for stack in [&outside, &inside] {
        let answer = stack.get("/users/7").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.body, "Unable To Extract Key!");
    }
    outside.assert_counted(&["GET /users/{id}: 1 server_error 500; 0 bytes in, 22 out"]);
    inside.assert_counted(&[]);
}
