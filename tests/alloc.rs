//! Promise 2: recording allocates nothing once a series exists, has grown to its size, and this
//! thread has recorded a value of that magnitude.
//!
//! A separate test program, since the allocator counts for the whole process.

use std::alloc::System;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use cap::Cap;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{Empty, Full};
use tachometer::{Counter, MetricsLayer, Registry};
use tower::{Layer, Service, service_fn};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Returns how many bytes `run` allocates once it is warm.
fn allocated(mut run: impl FnMut()) -> usize {
    for _ in 0..10_000 {
        run();
    }
    let before = ALLOCATOR.total_allocated();
    for _ in 0..10_000 {
        run();
    }
    ALLOCATOR.total_allocated() - before
}

fn handler(_: Request<Empty<Bytes>>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"done")))))
}

#[test]
fn recording_allocates_nothing_after_warm_up() {
    let registry = Registry::new();
    let counter = registry.counter("counter", "").expect("a valid name");
    let gauge = registry.gauge("gauge", "").expect("a valid name");
    let histogram = registry.histogram("histogram", "").expect("a valid name");
    let names = ["method", "status"];
    let family = registry
        .counter_family("family", "", names)
        .expect("valid names")
        .limit(6);
    let values: Vec<_> = (0..100).map(|value| value.to_string()).collect();
    let mut flood = values.iter().cycle();
    let handles = allocated(|| {
        counter.inc();
        counter.inc_by(0.5);
        counter.inc_by(-1);
        gauge.inc();
        gauge.set(3);
        for value in [0.003, 0.2, 0.2001, 17.0, -4.0, 1e30, f64::NAN] {
            histogram.observe(value);
        }
        family.with(["GET", "200"]).inc();
        family.with_ref(["GET", "quoted \" and \\"], Counter::inc);
        // Most of these are past the limit.
        let value = flood.next().expect("it goes round");
        family.with_ref(["GET", value], Counter::inc);
        counter.inc_with_exemplar(1, &[("trace_id", value)]);
        histogram.observe_with_exemplar(0.2, &[("trace_id", value)]);
    });
    assert_eq!(handles, 0);

    let mut service = MetricsLayer::new()
        .registry(&registry)
        .layer(service_fn(handler));
    let mut context = Context::from_waker(Waker::noop());
    let requests = allocated(|| {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = Method::POST;
        let mut future = pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
            panic!("there is nothing to wait for");
        };
        let mut body = pin!(response.into_body());
        while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut context) {}
    });
    assert_eq!(requests, 0);
    assert_eq!(
        registry
            .get("http_requests_total")
            .expect("it is there")
            .value(),
        20_000.0
    );
}
