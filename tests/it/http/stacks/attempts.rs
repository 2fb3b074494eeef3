//! Retries and hedged requests.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tachometer::Registry;
use tower::buffer::BufferLayer;
use tower::hedge::{self, Hedge};
use tower::retry::{self, RetryLayer};
use tower::{BoxError, Layer, Service, ServiceBuilder};

use super::{Stack, around, in_flight, inside, metrics, outside};

/// Repeats a request without a body until it has no server error.
#[derive(Clone)]
struct UntilOk {
    keeps_extensions: bool,
}

/// Returns a request without a body, which can be repeated.
fn repeated(request: &Request, keeps_extensions: bool) -> Request {
    let mut repeated = Request::new(Body::empty());
    *repeated.method_mut() = request.method().clone();
    *repeated.uri_mut() = request.uri().clone();
    *repeated.headers_mut() = request.headers().clone();
    if keeps_extensions {
        *repeated.extensions_mut() = request.extensions().clone();
    }
    repeated
}

impl<B> retry::Policy<Request, Response<B>, Infallible> for UntilOk {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request,
        response: &mut Result<Response<B>, Infallible>,
    ) -> Option<Ready<()>> {
        let response = response.as_ref().ok()?;
        response.status().is_server_error().then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(repeated(request, self.keeps_extensions))
    }
}

/// Routes that fail twice, without and with a body.
fn fails_twice(_: &Registry) -> Router {
    let fails = |body: &'static str| {
        let calls = Arc::new(AtomicU32::new(0));
        get(async move || match calls.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => (StatusCode::SERVICE_UNAVAILABLE, body).into_response(),
            _ => "done".into_response(),
        })
    };
    let router = Router::new().route("/empty", fails(""));
    router.route("/text", fails("busy"))
}

#[tokio::test]
async fn retries_are_one_request_outside_and_one_for_each_attempt_inside() {
    let layer = RetryLayer::new(UntilOk {
        keeps_extensions: true,
    });
    let one = [
        "GET /empty: 1 ok 200; 0 bytes in, 4 out",
        "GET /text: 1 ok 200; 0 bytes in, 4 out",
    ];
    // The body of a failed attempt is not read.
    let three = [
        "GET /empty: 1 ok 200, 2 server_error 503; 0 bytes in, 4 out",
        "GET /text: 2 cancelled_in_body 503, 1 ok 200; 0 bytes in, 4 out",
    ];
    let outside = outside(fails_twice, &layer).map(|stack| (stack, one));
    let around = [(around(fails_twice, &layer), one)];
    let inside = inside(fails_twice, &layer).map(|stack| (stack, three));
    for (stack, lines) in outside.into_iter().chain(around).chain(inside) {
        for path in ["/empty", "/text"] {
            assert_eq!(stack.get(path).await.body, "done");
        }
        stack.assert_counted(&lines);
    }
}

#[tokio::test]
async fn attempts_without_the_extensions_of_the_request_are_counted_by_both_of_two_layers() {
    let layer = RetryLayer::new(UntilOk {
        keeps_extensions: false,
    });
    let stack = around(fails_twice, &layer);
    assert_eq!(stack.get("/empty").await.body, "done");
    // The first attempt is the request itself.
    stack.assert_counted(&["GET /empty: 2 ok 200, 1 server_error 503; 0 bytes in, 8 out"]);
}

#[derive(Clone)]
struct Always;

impl hedge::Policy<Request> for Always {
    fn clone_request(&self, request: &Request) -> Option<Request> {
        Some(repeated(request, true))
    }

    fn can_retry(&self, _: &Request) -> bool {
        true
    }
}

/// Sends the second request after two seconds.
#[derive(Clone)]
struct HedgeLayer;

impl<S> Layer<S> for HedgeLayer
where
    S: Service<Request, Error: Into<BoxError>> + Clone,
{
    type Service = Hedge<S, Always>;

    fn layer(&self, inner: S) -> Self::Service {
        let period = Duration::from_secs(3_600);
        Hedge::new_with_mock_latencies(inner, Always, 1, 0.9, period, &[2_000])
    }
}

/// A route that takes a minute, but only the first time.
fn slow_once(_: &Registry) -> Router {
    let calls = Arc::new(AtomicU32::new(0));
    let slow = get(async move || {
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        "done"
    });
    Router::new().route("/slow", slow)
}

#[tokio::test(start_paused = true)]
async fn a_hedged_request_is_one_outside_and_two_inside_one_of_them_cancelled() {
    // A hedge needs a buffer in axum, because it cannot be cloned.
    let below = || {
        let handler = HandleErrorLayer::new(async |error: BoxError| {
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        });
        let buffer = BufferLayer::new(4);
        ServiceBuilder::new()
            .layer(handler)
            .layer(buffer)
            .layer(HedgeLayer)
    };
    let outside = Stack::new(|registry| {
        let routes = slow_once(registry).layer(below());
        routes.layer(metrics(registry))
    });
    let between = Stack::new(|registry| {
        let layers = ServiceBuilder::new().layer(metrics(registry));
        slow_once(registry).layer(layers.layer(below()))
    });
    let inside = Stack::new(|registry| slow_once(registry).layer(below().layer(metrics(registry))));
    let both = Stack::new(|registry| {
        let routes = slow_once(registry).layer(below().layer(metrics(registry)));
        routes.layer(metrics(registry))
    });
    for (stack, ends, seconds) in [
        (outside, "1 ok 200", 2.0),
        (between, "1 ok 200", 2.0),
        (inside, "1 cancelled_before_head none, 1 ok 200", 2.0),
        (both, "1 ok 200", 2.0),
    ] {
        assert_eq!(stack.get("/slow").await.body, "done");
        stack.assert_counted(&[&format!("GET /slow: {ends}; 0 bytes in, 4 out")]);
        assert_eq!(stack.seconds(), seconds);
        assert_eq!(in_flight(&stack.registry), 0.0);
    }
}
