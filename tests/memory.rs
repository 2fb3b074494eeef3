//! The memory of scrapes, with large registries and slow readers.
//!
//! A separate test program, since the allocator counts for the whole process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;
#[cfg(feature = "otlp")]
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
#[cfg(feature = "otlp")]
use std::sync::Arc;
#[cfg(feature = "otlp")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
#[cfg(feature = "otlp")]
use axum::body::Bytes;
#[cfg(feature = "otlp")]
use axum::http::Response;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{Request, StatusCode};
use cap::Cap;
use fastrand::Rng;
use http_body::Body as _;
use http_body_util::BodyExt;
#[cfg(feature = "otlp")]
use http_body_util::Full;
#[cfg(feature = "otlp")]
use tachometer::push::{Compression, Otlp, Temporality};
use tachometer::{Counter, MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{pause, sleep};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);
/// Every format plain, and one compressed.
const ASKED: [(&str, &str); 5] = [
    (ACCEPTS[0], "identity"),
    (ACCEPTS[1], "identity"),
    (ACCEPTS[2], "identity"),
    (ACCEPTS[3], "identity"),
    (ACCEPTS[0], "gzip"),
];
/// One test at a time, since each counts what all of them allocate.
static ALONE: Mutex<()> = Mutex::new(());

const READERS: usize = 50;
const MOST_A_READER: usize = 230_000;
/// The memory of a compressor, in bytes.
const GZIP: usize = 500_000;
const MOST_A_SCRAPE: usize = 1 << 20;
const ACCEPTS: [&str; 4] = [
    "text/plain",
    "application/openmetrics-text",
    "application/json",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
];

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A registry of this many series, each with a thousand random letters.
fn letters(series: usize) -> Registry {
    let registry = Registry::new();
    let family = registry.gauge_family("letters", "Long.", ["a", "b", "c", "d"]);
    let family = family.unwrap().limit(4 * series);
    let mut random = Rng::with_seed(3);
    for _ in 0..series {
        let [a, b, c, d] = [(); 4].map(|()| -> String {
            let letters = (0..250).map(|_| random.alphanumeric());
            letters.collect()
        });
        family.with([&a, &b, &c, &d]).set(1);
    }
    registry
}

fn router(registry: &Registry) -> Router {
    let settings = MetricsRouter::new().registry(registry);
    let hour = Duration::from_secs(60 * 60);
    settings
        .max_concurrent_scrapes(READERS)
        .scrape_timeout(hour)
        .build()
}

/// Waits until all other tasks are idle: a paused clock advances only then.
async fn advance_clock() {
    for _ in 0..3 {
        sleep(Duration::from_secs(1)).await;
    }
}

/// Connects with a small buffer, sends a request, and reads only the start of the response.
async fn stall(address: SocketAddr, accept: &str, coding: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1 << 16).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nhost: here\r\naccept: {accept}\r\naccept-encoding: {coding}\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    client.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    client
}

#[test]
fn a_stalled_reader_uses_less_than_230_kilobytes_plus_the_compressor() {
    let _alone = alone();
    // So many megabytes that no socket's buffers hold them, compressed or not.
    let registry = letters(20_000);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        pause();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(axum::serve(listener, router(&registry)).into_future());
        // One-time allocations are done by now.
        drop(stall(address, ACCEPTS[0], "identity").await);
        advance_clock().await;
        for (accept, coding) in ASKED {
            // Compression takes long without optimization, for some megabytes each.
            let (count, most) = match coding {
                "gzip" => (5, MOST_A_READER + GZIP),
                _ => (READERS, MOST_A_READER),
            };
            let before = ALLOCATOR.allocated();
            let mut readers = Vec::new();
            for _ in 0..count {
                readers.push(stall(address, accept, coding).await);
            }
            advance_clock().await;
            let held = ALLOCATOR.allocated().saturating_sub(before) / count;
            println!("{held} bytes a reader, {accept} {coding}");
            // They stall: none has ended or was cut off.
            for name in [
                "tachometer_scrapes_total",
                "tachometer_scrapes_aborted_total",
            ] {
                assert_eq!(registry.get(name).unwrap().value(), 0.0, "{name}");
            }
            assert!(held < most, "{held} bytes, {accept} {coding}");
            // All of them ran, and their memory is free again.
            drop(readers);
            advance_clock().await;
            let left = ALLOCATOR.allocated().saturating_sub(before);
            assert!(left < MOST_A_READER, "{left} bytes, {accept} {coding}");
        }
        server.abort();
    });
}

#[test]
fn a_finished_scrape_uses_less_than_a_kilobyte_while_its_body_is_kept() {
    const BODIES: usize = 300;
    let _alone = alone();
    let registry = letters(1_000);
    let settings = MetricsRouter::new()
        .registry(&registry)
        .max_concurrent_scrapes(BODIES);
    let router: Router = settings.scrape_timeout(Duration::from_secs(2)).build();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        // The first ones make one-time allocations.
        for (count, accept, coding) in [
            (1, ACCEPTS[0], "identity"),
            (BODIES, ACCEPTS[0], "identity"),
            (BODIES, ACCEPTS[3], "identity"),
            (20, ACCEPTS[0], "gzip"),
            (20, ACCEPTS[0], "zstd"),
        ] {
            let cut = || {
                registry
                    .get("tachometer_scrapes_aborted_total")
                    .unwrap()
                    .value()
            };
            let (before, over) = (ALLOCATOR.allocated(), cut());
            let mut bodies = Vec::with_capacity(count);
            for _ in 0..count {
                let request = Request::get("/").header(ACCEPT, accept);
                let request = request.header(ACCEPT_ENCODING, coding);
                let request = request.body(Body::empty()).unwrap();
                let answer = router.clone().oneshot(request).await.unwrap();
                let mut body = answer.into_body();
                assert!(body.frame().await.is_some());
                bodies.push(body);
            }
            let most = ALLOCATOR.allocated().saturating_sub(before) / count;
            let held = || ALLOCATOR.allocated().saturating_sub(before) / count;
            let freed = async {
                while cut() - over < count as f64 || (count > 1 && held() >= 1_024) {
                    tokio::task::yield_now().await;
                }
            };
            let freed = tokio::time::timeout(Duration::from_secs(60), freed).await;
            let held = held();
            println!("{most} bytes a body, then {held}, {accept} {coding}");
            assert!(freed.is_ok(), "{held} bytes, {accept} {coding}");
        }
    });
}

#[test]
fn a_scrape_of_200_000_series_uses_less_than_a_megabyte() {
    let _alone = alone();
    let registry = Registry::new();
    let family = registry.gauge_family("g", "Many.", ["number"]).unwrap();
    let family = family.limit(200_000);
    for number in 0..200_000 {
        family.with([&number.to_string()]).set(number);
    }
    let router = router(&registry);
    for (accept, coding) in ASKED {
        let request = Request::get("/").header(ACCEPT, accept);
        let request = request.header(ACCEPT_ENCODING, coding);
        let request = request.body(Body::empty()).unwrap();
        // Allocates up to the previous peak, so that a new peak is noticed.
        let most = ALLOCATOR.max_allocated();
        let ballast = Vec::<u8>::with_capacity(most.saturating_sub(ALLOCATOR.allocated()));
        let read = read(&router, request);
        let held = ALLOCATOR.max_allocated() - most;
        drop(ballast);
        println!("{held} bytes for {read}, {accept} {coding}");
        assert!(read > 100_000, "{read}");
        assert!(held < MOST_A_SCRAPE, "{held} bytes, {accept} {coding}");
    }
}

#[cfg(feature = "prometheus")]
#[test]
fn a_scrape_of_100_000_foreign_series_keeps_nothing_and_uses_little_more_memory_than_their_copy() {
    use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};
    use tachometer::bridge::PrometheusCollector;

    const SERIES: u64 = 100_000;
    let _alone = alone();
    let other = prometheus::Registry::new();
    let jobs = IntCounterVec::new(Opts::new("jobs_total", "Jobs."), &["id"]).unwrap();
    let seconds = HistogramOpts::new("job_seconds", "Durations.").buckets(vec![0.5, 2.0]);
    let seconds = HistogramVec::new(seconds, &["id"]).unwrap();
    for id in 0..SERIES {
        let id = id.to_string();
        jobs.with_label_values(&[&id]).inc();
        if id.ends_with('0') {
            seconds.with_label_values(&[&id]).observe(1.0);
        }
    }
    other.register(Box::new(jobs)).unwrap();
    other.register(Box::new(seconds)).unwrap();
    let registry = Registry::new();
    registry
        .collector(PrometheusCollector::new(other.clone()))
        .unwrap();
    let router = router(&registry);
    // Returns the peak of the allocated memory.
    let peak = |run: &mut dyn FnMut()| {
        // Allocates up to the previous peak, so that a new peak is noticed.
        let (before, most) = (ALLOCATOR.allocated(), ALLOCATOR.max_allocated());
        let ballast = Vec::<u8>::with_capacity(most.saturating_sub(before));
        run();
        let peak = ALLOCATOR.max_allocated() - most;
        drop(ballast);
        peak
    };
    let scrape = |accept: &str| {
        let request = Request::get("/").header(ACCEPT, accept);
        read(&router, request.body(Body::empty()).unwrap())
    };
    // One-time allocations.
    scrape(ACCEPTS[0]);
    let copy = peak(&mut || drop(other.gather()));
    let before = ALLOCATOR.allocated();
    for accept in ACCEPTS {
        let used = peak(&mut || {
            assert!(scrape(accept) > 1 << 20);
        });
        println!("{used} bytes, {copy} of them for the copy of the other crate, {accept}");
        assert!(
            used < copy + (16 << 20),
            "{used} bytes, {copy} for the copy, {accept}"
        );
    }
    let kept = ALLOCATOR.allocated().saturating_sub(before);
    assert!(kept < 1 << 16, "{kept} bytes are kept");
}

/// Reads an answer to its end, without a runtime, and returns its length.
fn read(router: &Router, request: Request<Body>) -> usize {
    let mut context = Context::from_waker(Waker::noop());
    let mut answer = pin!(router.clone().oneshot(request));
    let Poll::Ready(Ok(answer)) = answer.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    assert_eq!(answer.status(), StatusCode::OK);
    let (mut read, mut body) = (0, pin!(answer.into_body()));
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
        read += frame.unwrap().into_data().unwrap().len();
    }
    read
}

#[test]
fn dropped_scrapes_leak_no_memory() {
    let _alone = alone();
    let registry = letters(1_000);
    let router = router(&registry);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        pause();
        let mut random = Rng::with_seed(5);
        let mut drop_some = async |scrapes: usize| {
            for _ in 0..scrapes {
                let accept = *random.choice(&ACCEPTS).unwrap();
                let coding = *random.choice(&["identity", "gzip", "zstd"]).unwrap();
                let request = Request::get("/").header(ACCEPT, accept);
                let request = request.header(ACCEPT_ENCODING, coding);
                let request = request.body(Body::empty()).unwrap();
                let mut body = router.clone().oneshot(request).await.unwrap().into_body();
                for _ in 0..random.usize(..20) {
                    if body.frame().await.is_none() {
                        break;
                    }
                }
                // Or while a page is made.
                if random.bool() {
                    let next = body.frame();
                    tokio::select! {
                        biased;
                        _ = next => {}
                        () = std::future::ready(()) => {}
                    }
                }
            }
            advance_clock().await;
            ALLOCATOR.allocated()
        };
        let before = drop_some(50).await;
        let growth = drop_some(200).await.saturating_sub(before);
        println!("{growth} bytes more than before");
        assert!(growth < 16 << 10, "{growth} bytes");
    });
}

#[test]
fn tenants_in_turn_use_no_more_memory_than_the_limit_allows() {
    const TENANTS: usize = 60_000;
    /// How many tenants there are at a time.
    const AT_ONCE: usize = 1_500;
    const LIMIT: usize = 2_000;
    let _alone = alone();
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["tenant"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["tenant"]).unwrap();
    let (counters, gauges) = (counters.limit(LIMIT), gauges.limit(LIMIT));
    let before = ALLOCATOR.allocated();
    let (mut sum, mut first_peak, mut later_peak) = (0, 0, 0);
    for tenant in 0..TENANTS {
        let name = format!("tenant {tenant}");
        counters.with_ref([&name], |counter| counter.inc_by(3));
        gauges.with([&name]).set(tenant);
        if tenant >= AT_ONCE {
            let name = format!("tenant {}", tenant - AT_ONCE);
            sum += counters.with_ref([&name], Counter::get_u64);
            assert!(counters.remove([&name]) && gauges.remove([&name]));
        }
        let used = ALLOCATOR.allocated() - before;
        let peak = if tenant < TENANTS / 3 {
            &mut first_peak
        } else {
            &mut later_peak
        };
        *peak = used.max(*peak);
    }
    counters.for_each(|_, counter| sum += counter.get_u64());
    assert_eq!(sum, 3 * u64::try_from(TENANTS).unwrap());
    assert_eq!(registry.get("c").unwrap().series(), AT_ONCE);
    assert!(!registry.export_prometheus().contains("_overflow\""));
    assert!(
        later_peak <= first_peak * 5 / 4,
        "{first_peak}, then {later_peak} bytes"
    );
    // Twice the series and the lists, and the memory of the first list.
    assert!(later_peak < 3_000 * LIMIT, "{later_peak} bytes");
    counters.retain(|_, _| false);
    gauges.retain(|_, _| false);
    registry.gather().for_each(drop);
    let left = ALLOCATOR.allocated() - before;
    println!("first peak {first_peak}, later peak {later_peak}, left {left}");
}

/// Exports a registry of 100,000 series twice. Returns the most memory that was used meanwhile, and
/// how much of it is kept.
#[cfg(feature = "otlp")]
fn export_100_000_series(settings: fn(Otlp) -> Otlp) -> (usize, usize) {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "Many.", ["number"]).unwrap();
    let counters = counters.limit(100_000);
    for number in 0..50_000 {
        counters.with([&number.to_string()]).inc();
    }
    let histograms = registry.histogram_family("h", "Many.", ["number"]).unwrap();
    let histograms = histograms.limit(100_000);
    for number in 0..50_000 {
        histograms.with([&number.to_string()]).observe(0.1);
    }
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let client = tower::service_fn(move |_: Request<Full<Bytes>>| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, io::Error>(Response::new(Body::empty())) }
    });
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        let otlp = Otlp::new().registry(&registry).client(client);
        // Compression and encoding are slow without optimization.
        let otlp = otlp.interval(Duration::MAX).export_timeout(Duration::ZERO);
        let exporter = settings(otlp).start().unwrap();
        let before = ALLOCATOR.allocated();
        let most = ALLOCATOR.max_allocated();
        let ballast = Vec::<u8>::with_capacity(most.saturating_sub(before));
        exporter.flush().await.unwrap();
        let peak = ALLOCATOR.max_allocated() - most;
        drop(ballast);
        let kept = ALLOCATOR.allocated().saturating_sub(before);
        exporter.flush().await.unwrap();
        let growth = ALLOCATOR.allocated().saturating_sub(before);
        assert!(
            growth < kept + kept / 10 + (64 << 10),
            "{kept}, then {growth} bytes"
        );
        assert!(requests.load(Ordering::Relaxed) >= 20);
        (peak, kept)
    })
}

#[cfg(feature = "otlp")]
#[test]
fn an_export_of_100_000_series_uses_less_than_8_megabytes() {
    let _alone = alone();
    for (compression, settings) in [
        (Compression::None, (|otlp| otlp) as fn(Otlp) -> Otlp),
        (Compression::Gzip, |otlp| {
            otlp.compression(Compression::Gzip)
        }),
    ] {
        let (peak, kept) = export_100_000_series(settings);
        println!("{peak} bytes, {kept} afterwards, {compression:?}");
        assert!(peak < 8 << 20, "{peak} bytes, {compression:?}");
        assert!(kept < 64 << 10, "{kept} bytes, {compression:?}");
    }
}

#[cfg(feature = "otlp")]
#[test]
fn an_export_of_deltas_keeps_less_than_a_kilobyte_for_each_series() {
    let _alone = alone();
    let (peak, kept) = export_100_000_series(|otlp| otlp.temporality(Temporality::Delta));
    println!("{peak} bytes, {kept} afterwards");
    assert!(kept < 100_000 << 10, "{kept} bytes");
    // The memory of one request comes on top, and of a table that grows.
    assert!(peak < kept + kept / 2 + (16 << 20), "{peak} bytes");
}
