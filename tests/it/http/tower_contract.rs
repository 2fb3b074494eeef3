//! The contract of tower's `Service`, and closures of users that panic.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, Response};
use futures_util::FutureExt;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tokio::task::yield_now;
use tokio::time::timeout;
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock::spawn_layer;

use crate::support::read::sum;

/// A request, as the inner service sees it.
type Inner = Request<String>;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

fn request() -> Request<String> {
    Request::new("question".to_owned())
}

#[track_caller]
fn assert_ended<const N: usize>(registry: &Registry, outcomes: [(&str, u32); N]) {
    for (outcome, calls) in outcomes {
        let ended = sum(registry, "http_requests_total", &[("outcome", outcome)]);
        assert_eq!(ended, f64::from(calls), "{outcome}");
    }
    let all: u32 = outcomes.iter().map(|(_, calls)| calls).sum();
    assert_eq!(sum(registry, "http_requests_total", &[]), f64::from(all));
    assert_eq!(sum(registry, "http_requests_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn readiness_is_forwarded_and_not_counted_as_a_call() {
    let registry = Registry::new();
    let (mut service, mut handle) = spawn_layer::<Inner, Response<String>, _>(layer(&registry));
    handle.allow(0);
    assert!(service.poll_ready::<Request<String>>().is_pending());
    assert!(!service.is_woken());
    handle.allow(1);
    assert!(service.is_woken());
    let ready = service.poll_ready::<Request<String>>();
    assert!(matches!(ready, Poll::Ready(Ok(()))));
    handle.send_error("worn out");
    let Poll::Ready(Err(error)) = service.poll_ready::<Request<String>>() else {
        panic!("the error was kept back");
    };
    assert_eq!(error.to_string(), "worn out");
    assert_ended(&registry, []);
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_the_one_that_is_called() {
    let registry = Registry::new();
    let (mut service, mut handle) = spawn_layer::<Inner, Response<String>, _>(layer(&registry));
    let mut clone = service.clone();
    for _ in 0..3 {
        handle.allow(1);
        assert!(service.poll_ready::<Request<String>>().is_ready());
        // The mock panics if another one is called, a clone of it included.
        let response = service.call(request());
        let (received, answer) = handle.next_request().await.unwrap();
        assert_eq!(received.into_body(), "question");
        answer.send_response(Response::new("answer".to_owned()));
        let body = response.await.unwrap().into_body();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "answer");
        assert!(clone.poll_ready::<Request<String>>().is_pending());
    }
    assert_ended(&registry, [("ok", 3)]);
}

#[tokio::test]
#[should_panic(expected = "service not ready")]
async fn a_call_without_poll_ready_reaches_the_service_unchanged() {
    let (mut service, _handle) = spawn_layer::<Inner, Response<String>, _>(layer(&Registry::new()));
    drop(service.call(request()));
}

#[test]
fn no_permit_is_held_after_a_call_has_ended() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Read,
        Unread,
        DroppedUnpolled,
        DroppedPending,
        Failed,
        Panicked,
    }

    fn is_ready<S: Service<Request<String>>>(service: &mut S) -> bool {
        let polled = service.poll_ready(&mut Context::from_waker(Waker::noop()));
        polled.is_ready()
    }

    let registry = Registry::new();
    let layer = layer(&registry);
    for end in [
        End::Read,
        End::Unread,
        End::DroppedUnpolled,
        End::DroppedPending,
        End::Failed,
        End::Panicked,
    ] {
        let inner = service_fn(move |_: Inner| async move {
            match end {
                End::DroppedPending => pending().await,
                End::Failed => Err("the service failed"),
                End::Panicked => resume_unwind(Box::new("part of the test")),
                _ => Ok(Response::new("answer".to_owned())),
            }
        });
        let mut service = layer.layer(ConcurrencyLimit::new(inner, 1));
        let mut next = service.clone();
        assert!(is_ready(&mut service));
        let future = service.call(request());
        assert!(!is_ready(&mut next), "{end:?}");
        if end == End::DroppedUnpolled {
            drop(future);
        } else {
            let polled = catch_unwind(AssertUnwindSafe(|| future.now_or_never()));
            if let Ok(Some(Ok(response))) = polled {
                // As without the layer, the call ends with the head for concurrency limits.
                assert!(is_ready(&mut next));
                if end == End::Read {
                    let body = response.into_body().collect();
                    assert!(body.now_or_never().is_some());
                }
            }
        }
        assert!(is_ready(&mut next), "{end:?}");
    }
    let outcomes = [
        ("ok", 1),
        ("cancelled_in_body", 1),
        ("cancelled_before_head", 2),
        ("service_error", 1),
        ("panic", 1),
    ];
    assert_ended(&registry, outcomes);
}

/// A body whose `is_end_stream` or `size_hint` panics.
struct Unmeasurable {
    panics_at_end: bool,
}

impl Body for Unmeasurable {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        if self.panics_at_end {
            resume_unwind(Box::new("part of the test"));
        }
        false
    }

    fn size_hint(&self) -> SizeHint {
        resume_unwind(Box::new("part of the test"))
    }
}

#[test]
fn a_panic_in_size_hint_is_a_panic_of_the_service() {
    let registry = Registry::new();
    for (calls, panics_at_end) in [(1, true), (2, false)] {
        let mut service = layer(&registry).layer(service_fn(async |_: Inner| {
            Ok::<_, &str>(Response::new(Unmeasurable { panics_at_end }))
        }));
        let call = service.call(request());
        assert!(catch_unwind(AssertUnwindSafe(|| call.now_or_never())).is_err());
        assert_ended(&registry, [("panic", calls)]);
    }
}

#[tokio::test]
async fn an_inner_buffer_keeps_serving_whatever_the_outcome_of_its_calls() {
    let registry = Registry::new();
    let inner = service_fn(async |request: Inner| {
        yield_now().await;
        Ok::<_, &str>(Response::new(request.into_body()))
    });
    let buffer = Buffer::new(ConcurrencyLimit::new(inner, 1), 1);
    let mut service = layer(&registry).layer(buffer);
    let mut random = fastrand::Rng::with_seed(3);
    let (mut ok, mut before_head, mut in_body) = (0, 0, 0);
    for _ in 0..2_000 {
        let limit = Duration::from_secs(30);
        let ready = timeout(limit, service.ready()).await;
        let ready = ready.expect("somebody holds the last permit").unwrap();
        let mut future = Box::pin(ready.call(request()));
        let mut answer = None;
        // The worker and the service make progress in between, or are dropped at any point.
        for _ in 0..random.u32(..8) {
            answer = (&mut future).now_or_never();
            if answer.is_some() {
                break;
            }
            yield_now().await;
        }
        drop(future);
        match answer {
            None => before_head += 1,
            Some(response) if random.bool() => {
                let body = response.unwrap().into_body();
                assert_eq!(body.collect().await.unwrap().to_bytes(), "question");
                ok += 1;
            }
            Some(_) => in_body += 1,
        }
    }
    assert!(ok > 0 && before_head > 0 && in_body > 0);
    let outcomes = [
        ("ok", ok),
        ("cancelled_before_head", before_head),
        ("cancelled_in_body", in_body),
    ];
    assert_ended(&registry, outcomes);
}

#[test]
fn closures_that_panic_or_use_metrics_fail_no_request() {
    let registry = Registry::new();
    let calls = registry.counter("asked", "").unwrap();
    let handle = registry.clone();
    let layer = layer(&registry).skip(move |method, _| {
        calls.inc();
        let by_method = handle.counter_with("asked_for", "", [("method", method.as_str())]);
        by_method.unwrap().inc();
        assert!(handle.export_prometheus().contains("asked_total"));
        match *method {
            Method::PUT => resume_unwind(Box::new("part of the test")),
            _ => method == Method::GET,
        }
    });
    let service = layer.layer(service_fn(async |_: Inner| {
        Ok::<_, &str>(Response::new(String::new()))
    }));
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut service = service.clone();
            scope.spawn(move || {
                for method in [Method::GET, Method::PUT, Method::POST]
                    .iter()
                    .cycle()
                    .take(300)
                {
                    let mut request = request();
                    *request.method_mut() = method.clone();
                    let answer = service.call(request).now_or_never();
                    assert!(matches!(answer, Some(Ok(_))), "{method}");
                }
            });
        }
    });
    assert_ended(&registry, [("ok", 800)]);
    for (method, measured) in [("GET", 0.0), ("PUT", 400.0), ("POST", 400.0)] {
        let labels = [("method", method)];
        assert_eq!(sum(&registry, "http_requests_total", &labels), measured);
        assert_eq!(sum(&registry, "asked_for", &labels), 400.0);
    }
    assert_eq!(sum(&registry, "asked", &[]), 1_200.0);
    let labels = [("setting", "skip")];
    let panics = sum(&registry, "tachometer_closure_panics_total", &labels);
    assert_eq!(panics, 400.0);
}

#[tokio::test]
async fn a_request_moved_to_another_task_between_two_layers_is_counted_once() {
    let registry = Registry::new();
    let inner = service_fn(async |_: Request<String>| Ok::<_, &str>(Response::new(String::new())));
    let buffer = Buffer::new(layer(&registry).layer(inner), 1);
    let mut service = layer(&registry).layer(buffer);
    let ready = service.ready().await.unwrap();
    ready.call(request()).await.unwrap();
    assert_ended(&registry, [("ok", 1)]);
}

#[tokio::test]
async fn a_nested_request_without_extensions_is_counted() {
    let registry = Registry::new();
    let other = layer(&registry).layer(service_fn(async |_: Inner| {
        Ok::<_, &str>(Response::new(String::new()))
    }));
    let service = layer(&registry).layer(service_fn(move |_: Inner| {
        let mut inner = request();
        *inner.uri_mut() = "/within".parse().unwrap();
        other.clone().oneshot(inner)
    }));
    for calls in 1..=3 {
        service.clone().oneshot(request()).await.unwrap();
        assert_ended(&registry, [("ok", 2 * calls)]);
    }
}
