//! Every request ends in exactly one outcome.
//!
//! A seeded script decides for each request what the wrapped service does and when the caller
//! gives up. The expected counts are computed from the script alone.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tachometer::snapshot::Values;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, Service};

use crate::support::observed::observed;
use crate::support::read::{numbers, sum};
use crate::support::request_ends::RequestEnds;
use crate::support::scenario::{Call, Plan, Scripted, Upload, begin, finish};

const THREADS: u32 = 8;
const CALLS: u32 = 125_000;
const NESTED_CALLS: u32 = 25_000;

/// The expected counts, computed from the script alone.
#[derive(Default)]
struct Expected {
    ended: BTreeMap<(String, &'static str), u32>,
    read: u32,
    passed: u32,
    streams: u32,
}

impl Expected {
    fn add(&mut self, call: &Call) {
        *self.ended.entry(call.expected()).or_default() += 1;
        self.read += call.uploaded();
        self.passed += call.bytes();
        self.streams += u32::from(call.plan == Plan::EventStream);
    }

    fn merge(&mut self, other: Self) {
        for (end, calls) in other.ended {
            *self.ended.entry(end).or_default() += calls;
        }
        self.read += other.read;
        self.passed += other.passed;
        self.streams += other.streams;
    }

    #[track_caller]
    fn assert_counted(&self, registry: &Registry) {
        for ((status, outcome), calls) in &self.ended {
            let labels = [("status", status.as_str()), ("outcome", outcome)];
            let counted = sum(registry, "http_requests_total", &labels);
            assert_eq!(counted, f64::from(*calls), "{status} {outcome}");
        }
        let all = self.ended.values().sum();
        for (metric, number) in [
            ("http_requests_total", all),
            ("http_request_duration_seconds", all),
            ("http_request_body_bytes_total", self.read),
            ("http_response_body_bytes_total", self.passed),
            ("http_stream_duration_seconds", self.streams),
            ("http_requests_in_flight", 0),
            ("http_streams_in_flight", 0),
        ] {
            assert_eq!(sum(registry, metric, &[]), f64::from(number), "{metric}");
        }
    }
}

/// When a call moves from the gauge of one route to that of another.
#[derive(Clone, Copy)]
enum RouteChange {
    /// When it starts: a layer inside knows the route.
    AtStart,
    /// When its head arrives: a request that no route matched was handled by a fallback.
    AtHead,
}

/// The outcomes of all calls so far; each is noted after it has happened.
#[derive(Default)]
struct Progress {
    begun: AtomicU32,
    ended: AtomicU32,
}

#[test]
fn each_of_a_million_requests_is_counted_once_under_its_outcome() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let service = layer.wrap_request_body().layer(Scripted);
    run(&registry, &service, CALLS, RouteChange::AtHead).assert_counted(&registry);
}

/// The layer outside counts each call, without a route at first. The one inside gives
/// it the route, so that the call moves from one gauge to another while it is running.
#[test]
fn a_request_seen_by_two_layers_is_not_lost_when_its_route_becomes_known() {
    let registry = Registry::new();
    let ends = RequestEnds::default();
    // Each of the two layers calls it for the requests that it counts.
    let layer = MetricsLayer::new().registry(&registry).on_request_end({
        let (ends, calls) = (ends.clone(), AtomicU32::new(0));
        move |end| {
            ends.add(end);
            if calls.fetch_add(1, Ordering::Relaxed) % 100 == 0 {
                resume_unwind(Box::new("part of the test"));
            }
        }
    });
    let inner = layer.clone().route_from(|_| Some("/found".into()));
    let inner = inner.wrap_request_body().layer(Scripted);
    let service = layer.wrap_request_body().layer(inner);
    run(&registry, &service, NESTED_CALLS, RouteChange::AtStart).assert_counted(&registry);
    ends.assert_counted(&registry);
}

#[test]
fn the_observed_sizes_of_bodies_add_up_to_their_bytes() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry).body_sizes();
    let inner = layer.clone().route_from(|_| Some("/found".into()));
    let inner = inner.wrap_request_body().layer(Scripted);
    let service = layer.wrap_request_body().layer(inner);
    let expected = run(&registry, &service, NESTED_CALLS, RouteChange::AtStart);
    expected.assert_counted(&registry);
    let [requests, responses] = [
        "http_request_body_size_bytes",
        "http_response_body_size_bytes",
    ];
    let read = observed(&registry, requests, &[]);
    let passed = observed(&registry, responses, &[]);
    assert_eq!(read, f64::from(expected.read));
    assert_eq!(passed, f64::from(expected.passed));
    // A request without a response has no size of it.
    for (status, outcome) in expected.ended.keys() {
        let labels = [("status", status.as_str())];
        let all = sum(&registry, "http_requests_total", &labels);
        assert_eq!(sum(&registry, requests, &labels), all, "{status} {outcome}");
        let answered = if status == "none" { 0.0 } else { all };
        assert_eq!(sum(&registry, responses, &labels), answered, "{status}");
    }
}

/// Makes calls on many threads, while another one scrapes, and returns what must be
/// counted.
fn run<S, B>(registry: &Registry, service: &S, calls: u32, route_change: RouteChange) -> Expected
where
    S: Service<Request<Upload>, Response = Response<B>, Error = &'static str>,
    S: Clone + Send + Sync,
    S::Future: Send,
    B: Body<Data = Bytes, Error = &'static str>,
{
    let progress = Progress::default();
    let (mut neighbours, inboxes): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
    neighbours.rotate_left(1);
    let mut expected = Expected::default();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (seed, (neighbour, inbox)) in (0..).zip(neighbours.into_iter().zip(inboxes)) {
            let (service, progress) = (service.clone(), &progress);
            threads.push(scope.spawn(move || {
                let mut service = service;
                let mut random = fastrand::Rng::with_seed(seed);
                let mut expected = Expected::default();
                let end = |(call, future)| {
                    finish(call, future);
                    progress.ended.fetch_add(1, Ordering::SeqCst);
                };
                for _ in 0..calls {
                    let call = Call::random(&mut random);
                    expected.add(&call);
                    let begun = begin(&mut service, call);
                    progress.begun.fetch_add(1, Ordering::SeqCst);
                    match begun {
                        None => _ = progress.ended.fetch_add(1, Ordering::SeqCst),
                        // A call that starts on one thread may continue on another.
                        Some(future) if random.bool() => neighbour.send((call, future)).unwrap(),
                        Some(future) => end((call, future)),
                    }
                    inbox.try_iter().for_each(end);
                }
                drop(neighbour);
                inbox.into_iter().for_each(end);
                expected
            }));
        }
        let mut last = BTreeMap::new();
        while threads.iter().any(|thread| !thread.is_finished()) {
            last = scrape(registry, &progress, &last, route_change);
        }
        for thread in threads {
            expected.merge(thread.join().unwrap());
        }
    });
    expected
}

/// Scrapes once, checks that the numbers are possible and consistent with themselves and with
/// the previous scrape, and returns those that may not fall, by family and series.
///
/// A call that moves from one gauge to another while the gauges are read may be in both.
fn scrape(
    registry: &Registry,
    progress: &Progress,
    last: &BTreeMap<String, Vec<f64>>,
    route_change: RouteChange,
) -> BTreeMap<String, Vec<f64>> {
    let load = |number: &AtomicU32| number.load(Ordering::SeqCst);
    let (ended, begun) = (load(&progress.ended), load(&progress.begun));
    let mut under_way = 0.0;
    // What had ended and begun before the first block of the gauge.
    let mut before_gauge = None;
    let mut seen: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut blocks = registry.gather();
    loop {
        let (ended, begun) = (load(&progress.ended), load(&progress.begun));
        let Some(block) = blocks.next() else { break };
        let (name, numbers) = (block.desc.name(), numbers(&block));
        if let Values::Gauge(_) = block.values {
            let negative = numbers.iter().find(|number| **number < 0.0);
            assert_eq!(negative, None, "{name}");
            if name == "http_requests_in_flight" {
                // Series made meanwhile come in one more block.
                let (ended, begun) = *before_gauge.get_or_insert((ended, begun));
                under_way += numbers.iter().sum::<f64>();
                // No more can be in flight than have begun, including one per thread that is not
                // noted yet, minus those that had ended before.
                let now = load(&progress.begun) + THREADS;
                // A call moves before its start or its end is noted.
                let moved = match route_change {
                    RouteChange::AtStart => now - begun,
                    RouteChange::AtHead => load(&progress.ended) + THREADS - ended,
                };
                let most = f64::from(now - ended + moved);
                assert!(under_way <= most, "{under_way}, at most {most}");
            }
        } else {
            // Series made meanwhile come in one more block.
            seen.entry(name.to_owned()).or_default().extend(numbers);
        }
    }
    for (name, before) in last {
        let now = seen.get(name).map_or(&[][..], Vec::as_slice);
        assert!(now.len() >= before.len(), "{name} lost a series");
        let fell = now.iter().zip(before).find(|(now, before)| now < before);
        assert_eq!(fell, None, "{name}");
    }
    let counted = seen.get("http_requests_total").into_iter().flatten();
    let counted: f64 = counted.sum();
    assert!(counted >= f64::from(ended), "{counted} of {ended}");
    // A call counts as in flight or as ended, or as both for a moment, but never as neither.
    let accounted = under_way + counted;
    assert!(accounted >= f64::from(begun), "{accounted} of {begun}");
    seen
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
fn errors_of_the_service_and_of_the_body_reach_the_caller_unchanged() {
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
