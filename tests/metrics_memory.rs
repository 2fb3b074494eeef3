//! The memory of metrics that a library records through the `metrics` facade.
//!
//! A separate test program, since the allocator counts for the whole process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use cap::Cap;
use http_body::Body as _;
use metrics::{Label, counter, describe_counter, gauge, histogram, with_local_recorder};
use tachometer::bridge::MetricsRecorder;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);
/// One test at a time, since each counts what all of them allocate.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the bytes that a closure has allocated and not freed.
fn kept_by(run: impl FnOnce()) -> usize {
    let before = ALLOCATOR.allocated();
    run();
    ALLOCATOR.allocated().saturating_sub(before)
}

#[test]
fn a_hundred_thousand_invented_series_take_a_bounded_memory() {
    const SERIES: u64 = 100_000;
    let _alone = alone();
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry);
    let record = |run: &dyn Fn(String)| {
        kept_by(|| {
            with_local_recorder(&recorder, || {
                (0..SERIES).for_each(|number| run(number.to_string()));
            });
        })
    };
    for (bound, what, kept) in [
        (
            2 * MIB,
            "values",
            record(&|number| counter!("by_value", "user" => number).increment(1)),
        ),
        (
            4 * MIB,
            "values of a histogram",
            record(&|number| histogram!("seconds", "user" => number).record(1.0)),
        ),
        (
            MIB,
            "values of 1 KiB",
            record(&|number| {
                let value = number.repeat(1_024 / number.len());
                counter!("by_long_value", "user" => value).increment(1);
            }),
        ),
        (
            MIB,
            "label names",
            record(&|number| {
                counter!("by_name", vec![Label::new(number, "x")]).increment(1);
            }),
        ),
        (
            MIB,
            "empty labels",
            record(&|number| {
                counter!("by_empty_label", vec![Label::new(number, "")]).increment(1);
            }),
        ),
        (
            MIB,
            "repeated labels",
            record(&|number| {
                let labels = vec![Label::new("user", number), Label::new("user", "x")];
                counter!("by_repeated_label", labels).increment(1);
            }),
        ),
        (
            12 * MIB,
            "metrics",
            record(&|number| {
                let name = format!("gauge_{number}");
                describe_counter!(name.clone(), "x".repeat(1_000));
                gauge!(name).set(1.0);
            }),
        ),
    ] {
        println!("{kept} bytes for {SERIES} {what}");
        assert!(kept < bound, "{kept} bytes for {SERIES} {what}");
    }
    let value = |name: &str| registry.get(name).unwrap().value();
    for name in [
        "by_value",
        "seconds",
        "by_long_value",
        "by_empty_label",
        "by_repeated_label",
    ] {
        assert_eq!(value(name), SERIES as f64, "{name}");
    }
}

#[test]
fn users_in_turn_whose_series_expire_use_no_more_memory_than_a_few() {
    const ROUNDS: usize = 40;
    const USERS: usize = 500;
    let _alone = alone();
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry);
    let recorder = recorder.expire_after(Duration::ZERO);
    let hour = Duration::from_secs(3_600);
    let settings = MetricsRouter::new().registry(&registry);
    let router: Router = settings.scrape_timeout(hour).build();
    let round = |round: usize| {
        with_local_recorder(&recorder, || {
            for user in 0..USERS {
                let user = format!("{round} {user}");
                counter!("c", "user" => user.clone()).increment(1);
                gauge!("g", "user" => user).set(1.0);
            }
        });
        scrape(&router);
    };
    // The first ones make one-time allocations.
    (0..5).for_each(round);
    let growth = kept_by(|| (5..ROUNDS).for_each(round));
    println!("{growth} bytes more than before");
    assert!(growth < MIB / 2, "{growth} bytes");
    // They are free once all have expired.
    let before = ALLOCATOR.allocated();
    (0..4).for_each(|_| scrape(&router));
    let freed = before.saturating_sub(ALLOCATOR.allocated());
    println!("{freed} bytes freed");
    assert!(freed > USERS * 200, "{freed} bytes freed");
}

/// Reads a scrape to its end, without a runtime.
fn scrape(router: &Router) {
    let mut context = Context::from_waker(Waker::noop());
    let request = Request::get("/").body(Body::empty()).unwrap();
    let mut answer = pin!(router.clone().oneshot(request));
    let Poll::Ready(Ok(answer)) = answer.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = pin!(answer.into_body());
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
        frame.unwrap();
    }
}
