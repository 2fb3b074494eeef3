//! A flood of invented values: memory does not grow, and declared values keep their names.
//!
//! A separate test program, since it measures the process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use axum::Router;
use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use tachometer::{MetricsLayer, Registry};
use tower::Service;

const CALLS: u32 = 1_000_000;
const THREADS: u32 = 2;
const MOST_GROWTH: u64 = 10 << 20;

/// Returns the resident memory of this process in bytes, if the system reports it.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Returns a request with a new method, path, host and label.
fn invented(number: u32) -> Request<Body> {
    let path = format!("/{number}/{}", number.wrapping_mul(2_654_435_761));
    let request = Request::builder().uri(path);
    let request = request.method(format!("M{number}").as_bytes());
    let request = request.header(HOST, format!("{number}.example.com"));
    let request = request.header("x-tenant", format!("tenant-{number}"));
    request.body(Body::empty()).unwrap()
}

fn call(app: &mut Router, request: Request<Body>) -> StatusCode {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(app.call(request));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    response.status()
}

#[test]
fn a_million_invented_paths_methods_hosts_and_labels_take_no_more_than_10_mib() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .predeclare(Method::GET, "/users/{id}", [StatusCode::OK])
        .label_from_request("tenant", |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        });
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer);
    let app = app.with_state::<()>(());
    call(&mut app.clone(), invented(0));
    let before = resident();
    thread::scope(|scope| {
        for first in 1..=THREADS {
            let mut app = app.clone();
            scope.spawn(move || {
                for number in (first..CALLS).step_by(THREADS as usize) {
                    assert_eq!(call(&mut app, invented(number)), StatusCode::NOT_FOUND);
                }
            });
        }
    });
    let after = resident();
    let request = Request::get("/users/7").body(Body::empty()).unwrap();
    assert_eq!(call(&mut app.clone(), request), StatusCode::OK);

    if let (Some(before), Some(after)) = (before, after) {
        let growth = after.saturating_sub(before);
        println!("{} KiB more than before", growth >> 10);
        assert!(growth <= MOST_GROWTH, "{growth} bytes");
    }
    let text = registry.export_prometheus();
    let requests = |labels: &str| -> u32 {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("http_requests_total{"));
        let counts = lines.filter(|line| line.contains(labels));
        counts
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap())
            .sum()
    };
    assert_eq!(requests("route=\"unmatched\""), CALLS);
    assert_eq!(requests("method=\"_OTHER\""), CALLS);
    assert_eq!(requests("tenant=\"_overflow\""), CALLS - 2_000);
    assert_eq!(requests("route=\"/users/{id}\""), 1);
    assert!(!text.contains("example.com"), "a host is a label");
}
