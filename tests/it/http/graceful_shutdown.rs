//! `axum::serve` that shuts down gracefully under load: what it has accepted ends, and each
//! request is counted once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Version};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tokio::sync::watch;
use tokio::time::timeout;
use tower::util::MapRequestLayer;

use crate::support::loopback::{Caller, Server};
use crate::support::read::sum;
use crate::support::requests::requests;
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(60);
/// How many clients send one request after another, of each version of HTTP.
const CLIENTS: u32 = 8;
/// The number of requests that have ended when the shutdown starts.
const BEFORE: u32 = 400;
/// How many requests of each kind are in flight then.
const WAITING: u32 = 10;

/// What the requests in flight wait for.
#[derive(Clone)]
struct Gate(watch::Receiver<bool>);

impl Gate {
    async fn passed(mut self) {
        let _ = self.0.wait_for(|is_open| *is_open).await;
    }
}

/// Handlers that respond at once, and that respond, or end their responses, once the gate is
/// open.
fn app(registry: &Registry, seen: &Arc<AtomicU32>, gate: &Gate) -> Router {
    let seen = Arc::clone(seen);
    let (head, body, events) = (gate.clone(), gate.clone(), gate.clone());
    let rest = |gate: Gate| {
        let first = stream::iter([Ok::<_, std::io::Error>("data: 1\n\n")]);
        let last = stream::once(gate.passed()).map(|()| Ok("data: 2\n\n"));
        Body::from_stream(first.chain(last))
    };
    Router::new()
        .route("/quick", get(async || "quick"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/late-head", get(async move || head.clone().passed().await))
        .route("/late-body", get(async move || rest(body.clone())))
        .route(
            "/events",
            get(async move || {
                let kind = [(CONTENT_TYPE, "text/event-stream")];
                (kind, rest(events.clone()))
            }),
        )
        .layer(MapRequestLayer::new(move |request: Request| {
            seen.fetch_add(1, Ordering::Relaxed);
            request
        }))
        .layer(MetricsLayer::new().registry(registry))
}

/// Sends requests one after another until the server accepts none; returns how many were
/// answered.
async fn send_until_refused(url: String, version: Version, answered: Arc<AtomicU32>) -> u32 {
    let caller = Caller::new(version);
    for sent in 0.. {
        let call = if sent % 2 == 0 {
            caller.call(Method::GET, &format!("{url}/quick")).await
        } else {
            caller.call(Method::POST, &format!("{url}/echo")).await
        };
        if call.is_err() {
            return sent;
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("the server stops")
}

/// Sends a request that waits at the gate; returns the length of its response.
async fn wait(url: String, version: Version) -> usize {
    let caller = Caller::new(version);
    let response = caller.open(Method::GET, &url).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    body.to_bytes().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_accepted_request_ends_and_is_counted_once_in_a_graceful_shutdown() {
    let registry = Registry::new();
    let seen = Arc::new(AtomicU32::new(0));
    let (open, gate) = watch::channel(false);
    let server = Server::start(app(&registry, &seen, &Gate(gate))).await;
    let url = format!("http://{}", server.address);

    let answered = Arc::new(AtomicU32::new(0));
    let mut clients = Vec::new();
    let mut waiting = Vec::new();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for _ in 0..CLIENTS {
            let client = send_until_refused(url.clone(), version, Arc::clone(&answered));
            clients.push(tokio::spawn(client));
        }
        for path in ["/late-head", "/late-body", "/events"] {
            for _ in 0..WAITING {
                let length = tokio::spawn(wait(format!("{url}{path}"), version));
                waiting.push((path, length));
            }
        }
    }
    let in_flight = |route| sum(&registry, "http_requests_in_flight", &[("route", route)]);
    let all = f64::from(2 * WAITING);
    until(|| {
        let is_waiting = |route| in_flight(route) == all;
        answered.load(Ordering::Relaxed) >= BEFORE
            && ["/late-head", "/late-body", "/events"]
                .into_iter()
                .all(is_waiting)
    })
    .await;

    let stopped = tokio::spawn(server.stop());
    let mut received = 0;
    for client in clients {
        received += timeout(LONG, client)
            .await
            .expect("a client hangs")
            .unwrap();
    }
    // Nothing is accepted any more, and what was accepted is still in flight.
    assert!(!stopped.is_finished());
    assert_eq!(in_flight("/late-head"), all);
    assert_eq!(sum(&registry, "http_streams_in_flight", &[]), all);
    open.send(true).unwrap();
    timeout(LONG, stopped)
        .await
        .expect("a request is in flight")
        .unwrap();
    for (path, length) in waiting {
        let length = timeout(LONG, length)
            .await
            .expect("a client hangs")
            .unwrap();
        assert_eq!(length, if path == "/late-head" { 0 } else { 18 }, "{path}");
    }

    // hyper runs each stream of HTTP/2 in a task, which may end after its connection.
    let is_idle = |metric| sum(&registry, metric, &[]) == 0.0;
    until(|| is_idle("http_requests_in_flight") && is_idle("http_streams_in_flight")).await;
    let counted = requests(&registry);
    assert!(
        counted.iter().all(|line| line.contains(" 200 ok ")),
        "{counted:?}"
    );
    let seen = f64::from(seen.load(Ordering::Relaxed));
    assert_eq!(sum(&registry, "http_requests_total", &[]), seen);
    assert_eq!(f64::from(received) + 3.0 * all, seen);
    let streams = sum(&registry, "http_stream_duration_seconds", &[]);
    assert_eq!(streams, all);
}
