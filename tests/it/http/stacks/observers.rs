//! Middleware that observes requests: tracing and request ids.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use tachometer::{Label, MetricsLayer, Registry};
use tower::ServiceBuilder;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::trace::TraceLayer;

use super::{Stack, around, inside, metrics, outside, request, routes};

#[tokio::test]
async fn tracing_changes_no_number_in_any_order() {
    let trace = TraceLayer::new_for_http();
    let stacks = outside(routes, &trace)
        .into_iter()
        .chain(inside(routes, &trace));
    for stack in stacks.chain([around(routes, &trace)]) {
        assert_eq!(stack.get("/users/7").await.body, "a user");
        assert_eq!(stack.post("/upload", "12345").await.body, "12345");
        assert_eq!(stack.get("/elsewhere").await.status, StatusCode::NOT_FOUND);
        let mut unread = stack.open(request("/users/8")).await.into_body();
        assert_eq!(stack.in_flight(), 1.0);
        drop(unread.frame());
        drop(unread);
        stack.assert_counted(&[
            "GET /users/{id}: 1 cancelled_in_body 200, 1 ok 200; 0 bytes in, 6 out",
            "GET unmatched: 1 client_error 404; 0 bytes in, 0 out",
            "POST /upload: 1 ok 200; 5 bytes in, 5 out",
        ]);
    }
}

#[derive(Clone)]
struct SameId;

impl MakeRequestId for SameId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        Some(RequestId::new(HeaderValue::from_static("id-1")))
    }
}

/// Reads the id that the request has, and the one that the response has.
fn with_ids(registry: &Registry) -> MetricsLayer {
    metrics(registry)
        .label_from_request(Label::open("asked"), |request| {
            let id = request.extensions.get::<RequestId>()?;
            let header = request.headers.get("x-request-id")?;
            assert_eq!(id.header_value(), header);
            Some(header.to_str().ok()?.into())
        })
        .label_from_response(Label::open("answered"), |response| {
            let header = response.headers.get("x-request-id")?;
            Some(header.to_str().ok()?.into())
        })
}

#[tokio::test]
async fn label_closures_see_a_request_id_that_was_set_further_out_and_propagated_further_in() {
    let set = || SetRequestIdLayer::x_request_id(SameId);
    let propagate = PropagateRequestIdLayer::x_request_id;
    for (stack, labels) in [
        // Outside of both.
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(with_ids(registry));
                routes(registry).layer(layers.layer(set()).layer(propagate()))
            }),
            "answered=id-1 asked=none",
        ),
        (
            Stack::new(|registry| {
                let routes = routes(registry).layer(propagate()).layer(set());
                routes.layer(with_ids(registry))
            }),
            "answered=id-1 asked=none",
        ),
        // Between them.
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(set());
                routes(registry).layer(layers.layer(with_ids(registry)).layer(propagate()))
            }),
            "answered=id-1 asked=id-1",
        ),
        // Inside of both.
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(set()).layer(propagate());
                routes(registry).layer(layers.layer(with_ids(registry)))
            }),
            "answered=none asked=id-1",
        ),
        (
            Stack::new(|registry| {
                let routes = routes(registry).layer(with_ids(registry));
                routes.layer(propagate()).layer(set())
            }),
            "answered=none asked=id-1",
        ),
    ] {
        let answer = stack.get("/users/7").await;
        assert_eq!(answer.headers["x-request-id"], "id-1");
        let line = format!("GET /users/{{id}}: 1 ok 200 {labels}; 0 bytes in, 6 out");
        stack.assert_counted(&[&line]);
    }
}
