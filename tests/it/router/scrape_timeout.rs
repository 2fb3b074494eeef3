//! The deadline of a scrape: what is cut off, and when.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Version};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tachometer::{MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tower::ServiceExt;

use super::scrape_fixture::{
    END, HOUR, LONG, TIMEOUT, gated, large, request, router, small, status,
};
use crate::support::loopback::{Caller, Server};
use crate::support::read::sum;
use crate::support::wait::until;

#[tokio::test]
async fn a_response_that_is_cut_off_is_an_error_for_its_client() {
    // A longer or invalid timeout of the scraper does not extend the deadline.
    for header in [None, Some("3600"), Some("soon")] {
        let registry = small();
        let settings = MetricsRouter::new()
            .registry(&registry)
            .scrape_timeout(Duration::ZERO);
        let server = Server::start(router(settings.max_concurrent_scrapes(1))).await;
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let caller = Caller::new(version);
            for path in ["/metrics", "/metrics/json"] {
                let url = format!("http://{}{path}", server.address);
                let headers: Vec<_> = header.map(|text| (TIMEOUT, text)).into_iter().collect();
                // The head may have come by then, or not.
                if let Ok(answer) = caller.send(Method::GET, &url, &headers).await {
                    assert_eq!(answer.status(), StatusCode::OK);
                    let read = answer.into_body().collect().await;
                    assert!(read.is_err(), "{header:?} over {version:?} looks whole");
                }
            }
        }
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let header_line = header.map(|text| format!("{TIMEOUT}: {text}\r\n"));
        let header_line = header_line.unwrap_or_default();
        let head = format!("GET /metrics HTTP/1.1\r\nhost: here\r\n{header_line}\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        assert!(!answer.ends_with(END), "{header:?}");
        server.stop().await;
        assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
        assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 5.0);
    }
}

/// Reads only one frame of each response.
async fn stall(router: &Router, count: usize, timeout: &'static str) -> Vec<Body> {
    let mut stalled = Vec::new();
    for _ in 0..count {
        let mut request = request("/metrics");
        let timeout = HeaderValue::from_static(timeout);
        request.headers_mut().insert(TIMEOUT, timeout);
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let mut body = answer.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        stalled.push(body);
    }
    stalled
}

async fn check_cut(registry: &Registry, expected: f64) {
    let cut = || sum(registry, "tachometer_scrapes_aborted_total", &[]) >= expected;
    timeout(LONG, until(cut)).await.expect("they are not cut");
}

#[tokio::test]
async fn a_scrape_that_is_not_read_frees_its_permit_at_its_deadline_and_ends_with_an_error() {
    // The deadline is the client's, or the router's.
    for (deadline, header) in [(HOUR, "0.2"), (Duration::from_secs(1), "60")] {
        let registry = large();
        let settings = MetricsRouter::new()
            .registry(&registry)
            .scrape_timeout(deadline);
        let router = router(settings.max_concurrent_scrapes(4));
        let stalled = stall(&router, 4, header).await;
        let refused = status(&router, "/metrics").await;
        assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
        check_cut(&registry, 4.0).await;
        for mut body in stalled {
            let error = body.frame().await.unwrap().unwrap_err();
            let text = format!("{error} {:?}", std::error::Error::source(&error));
            assert!(text.contains("TimedOut"), "{text}");
            assert!(body.frame().await.is_none());
        }
        // A reader that continues is neither cut off nor counted again.
        let whole = router.clone().oneshot(request("/metrics?name[]=jobs"));
        let whole = whole.await.unwrap().into_body().collect().await.unwrap();
        assert!(whole.to_bytes().ends_with(b"jobs_total 1\n"));
        assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 4.0);
    }
}

#[tokio::test]
async fn three_hundred_stalled_readers_do_not_fail_a_later_scrape() {
    let registry = large();
    let settings = MetricsRouter::new()
        .registry(&registry)
        .max_concurrent_scrapes(300);
    let server = Server::start(router(settings)).await;
    let mut stalled = Vec::new();
    for _ in 0..300 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2_048).unwrap();
        let mut client = socket.connect(server.address).await.unwrap();
        let head = format!("GET /metrics HTTP/1.1\r\nhost: here\r\n{TIMEOUT}: 0.2\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        stalled.push(client);
    }
    check_cut(&registry, 300.0).await;
    let url = format!("http://{}/metrics?name[]=jobs", server.address);
    for _ in 0..300 {
        let answer = Caller::new(Version::HTTP_11).get(&url).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
    }
    drop(stalled);
    server.stop().await;
}

#[tokio::test]
async fn a_collector_that_hangs_does_not_keep_its_reader_beyond_the_deadline() {
    let (registry, gate, _opened) = gated();
    let deadline = Duration::from_millis(20);
    let settings = MetricsRouter::new()
        .registry(&registry)
        .scrape_timeout(deadline);
    let router = router(settings.max_concurrent_scrapes(1));
    let answer = router.clone().oneshot(request("/metrics")).await.unwrap();
    // In a separate task, which nothing else wakes.
    let read = tokio::spawn(answer.into_body().collect());
    until(|| read.is_finished()).await;
    assert!(read.await.unwrap().is_err());
    // The collector still runs, and keeps the permit.
    if gate.calls() == 1 {
        let refused = status(&router, "/metrics").await;
        assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    }
    gate.open();
    let free = async {
        while status(&router, "/metrics?name[]=jobs").await != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, free).await.expect("its place is free again");
}

#[test]
fn deadlines_hold_on_a_runtime_without_timers_and_without_a_runtime() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).build().unwrap();
    let block_on =
        |future: Pin<Box<dyn Future<Output = Vec<Body>> + Send>>| runtime.block_on(future);
    let without = |future: Pin<Box<dyn Future<Output = Vec<Body>> + Send>>| {
        future.now_or_never().expect("there is nothing to wait for")
    };
    let ways: [&dyn Fn(_) -> _; 2] = [&block_on, &without];
    for way in ways {
        let registry = large();
        let settings = MetricsRouter::new()
            .registry(&registry)
            .max_concurrent_scrapes(2);
        let router = router(settings);
        let stalled = way(Box::pin({
            let router = router.clone();
            async move { stall(&router, 2, "0").await }
        }));
        let begun = std::time::Instant::now();
        while sum(&registry, "tachometer_scrapes_aborted_total", &[]) < 2.0 {
            assert!(begun.elapsed() < LONG, "they are not cut");
            std::thread::yield_now();
        }
        // They still exist, and others have their permits.
        let others = way(Box::pin(async move { stall(&router, 2, "60").await }));
        drop((stalled, others));
    }
}

#[tokio::test]
async fn an_invalid_timeout_header_is_ignored() {
    let registry = small();
    let settings = MetricsRouter::new()
        .registry(&registry)
        .scrape_timeout(HOUR);
    let router = router(settings);
    let garbage: [&[u8]; 13] = [
        b"", b"soon", b"nan", b"inf", b"-1", b"1e300", b"0x0", b"0s", b"\xff0", b"3600",
        // Too short, so rounded up to one second.
        b"0", b"-0", b"0.0001",
    ];
    for value in garbage {
        let mut request = request("/metrics");
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().insert(TIMEOUT, value.clone());
        let answer = router.clone().oneshot(request).await.unwrap();
        let read = answer.into_body().collect().await;
        assert!(read.is_ok(), "{value:?}");
    }
}

#[tokio::test]
async fn nothing_is_encoded_after_the_deadline() {
    let registry = small();
    let deadline = Duration::from_millis(20);
    // It runs until the deadline has passed, and more is to come after it.
    let takes_long = move || {
        let begun = std::time::Instant::now();
        while begun.elapsed() < deadline {
            std::thread::yield_now();
        }
        1
    };
    registry.gauge_fn("a_late", "", takes_long).unwrap();
    for name in ["more", "most"] {
        registry.gauge(name, &"h".repeat(100_000)).unwrap();
    }
    let settings = MetricsRouter::new()
        .registry(&registry)
        .scrape_timeout(deadline);
    let server = Server::start(router(settings)).await;
    let url = format!("http://{}/metrics", server.address);
    let caller = Caller::new(Version::HTTP_11);
    if let Ok(answer) = caller.send(Method::GET, &url, &[(TIMEOUT, "9")]).await {
        assert!(answer.into_body().collect().await.is_err());
    }
    drop(caller);
    server.stop().await;
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
}
