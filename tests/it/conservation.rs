//! Every call ends in exactly one outcome.
//!
//! A seeded script decides for each call what the wrapped service does and when
//! the caller gives up. From the script alone follows what must be counted; the
//! layer is asked only in the end.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use axum::http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, Service};

use crate::support::read::{sum, to_f64};
use crate::support::script::{Call, Plan, Scripted, drive};

const CALLS: u32 = 4_000;
const THREADS: u64 = 4;

#[test]
fn whatever_becomes_of_a_call_it_is_counted_once_under_what_became_of_it() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let mut expected: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let (mut read, mut passed, mut streams) = (0, 0, 0);
    let threads: Vec<_> = (0..THREADS)
        .map(|seed| {
            let mut service = layer.layer(Scripted);
            let mut random = fastrand::Rng::with_seed(seed);
            let calls: Vec<_> = (0..CALLS).map(|_| Call::random(&mut random)).collect();
            for call in &calls {
                *expected.entry(call.expected()).or_default() += 1;
                read += call.uploaded();
                passed += call.bytes();
                streams += u32::from(call.plan == Plan::EventStream);
            }
            thread::spawn(move || {
                for call in calls {
                    drive(&mut service, call);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }

    for ((status, outcome), calls) in &expected {
        let labels = [("status", status.as_str()), ("outcome", outcome)];
        let counted = sum(&registry, "http_requests_total", &labels);
        assert_eq!(counted, f64::from(*calls), "{status} {outcome}");
    }
    let all = f64::from(CALLS) * to_f64(THREADS);
    assert_eq!(sum(&registry, "http_requests_total", &[]), all);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), all);
    for (metric, bytes) in [
        ("http_request_body_bytes_total", read),
        ("http_response_body_bytes_total", passed),
    ] {
        assert_eq!(sum(&registry, metric, &[]), f64::from(bytes), "{metric}");
    }
    let lives = sum(&registry, "http_stream_duration_seconds", &[]);
    assert_eq!(lives, f64::from(streams));
    for gauge in ["http_requests_in_flight", "http_streams_in_flight"] {
        assert_eq!(sum(&registry, gauge, &[]), 0.0, "{gauge}");
    }
}

#[test]
fn a_request_is_in_flight_until_its_body_is_dropped() {
    let registry = Registry::new();
    let mut service = MetricsLayer::new().registry(&registry).layer(Scripted);
    let in_flight = || sum(&registry, "http_requests_in_flight", &[]);
    let call = Call {
        plan: Plan::DropBody,
        status: StatusCode::OK,
        pending: 0,
        frames: 4,
        at: 2,
        upload: 0,
        read: 0,
    };
    let mut future = pin!(service.call(call.request()));
    assert_eq!(in_flight(), 1.0);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = response.into_body();
    assert!(pin!(body.frame()).as_mut().poll(&mut context).is_ready());
    assert_eq!(in_flight(), 1.0);
    drop(body);
    assert_eq!(in_flight(), 0.0);
}

#[test]
fn the_errors_of_the_service_and_of_the_body_reach_the_caller_unchanged() {
    let registry = Registry::new();
    let mut service = MetricsLayer::new().registry(&registry).layer(Scripted);
    let mut context = Context::from_waker(Waker::noop());
    let mut call = Call {
        plan: Plan::InnerError,
        status: StatusCode::OK,
        pending: 0,
        frames: 4,
        at: 0,
        upload: 0,
        read: 0,
    };
    let mut future = pin!(service.call(call.request()));
    let polled = future.as_mut().poll(&mut context);
    assert!(matches!(polled, Poll::Ready(Err("the service failed"))));

    call.plan = Plan::BodyError;
    let mut future = pin!(service.call(call.request()));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = pin!(response.into_body());
    let polled = body.as_mut().poll_frame(&mut context);
    assert!(matches!(polled, Poll::Ready(Some(Err("the body failed")))));
}
