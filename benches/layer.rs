//! The time that the layer adds to a request through an axum router:
//! `cargo bench --bench layer`.

use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use http_body::Body as _;
use tachometer::{MetricsLayer, Registry};
use tower::Service;

fn requests(criterion: &mut Criterion) {
    let routes = || Router::new().route("/users/{id}", get(async || "a user"));
    let measured = MetricsLayer::new().registry(&Registry::new());
    for (name, router) in [
        ("layer/none", routes()),
        ("layer/metrics", routes().layer(measured.clone())),
        ("layer/boxed", routes().layer(measured.boxed())),
    ] {
        // With its state, the router applies its layers once and not per request.
        let mut service = router.with_state::<()>(());
        criterion.bench_function(name, |bench| bench.iter(|| request(&mut service)));
    }
}

/// Sends one request and reads its response. It needs no runtime, since nothing blocks.
fn request(service: &mut Router) {
    let mut context = Context::from_waker(Waker::noop());
    let request = Request::get("/users/7").body(Body::empty());
    let mut future = Box::pin(service.call(request.expect("a valid request")));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        unreachable!("the handler waits for nothing");
    };
    let mut body = Box::pin(response.into_body());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut context) {}
}

criterion_group!(benches, requests);
criterion_main!(benches);
