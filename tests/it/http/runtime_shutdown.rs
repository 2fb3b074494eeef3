//! A runtime that shuts down while requests are in flight.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::{any, get, post};
use futures_util::{StreamExt, stream};
use tachometer::middleware::UpgradeGuard;
use tachometer::{MetricsLayer, Registry};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::util::MapRequestLayer;

use crate::support::read::sum;
use crate::support::request_ends::RequestEnds;

/// A way in which a runtime ends, and its name.
type End = (&'static str, fn(Runtime));

const EACH: u32 = 20;
const LONGEST: Duration = Duration::from_secs(30);
const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn app(registry: &Registry, seen: &Arc<AtomicU32>, ends: &RequestEnds) -> Router {
    let seen = Arc::clone(seen);
    let unfinished = || {
        let first = stream::iter([Ok::<_, std::io::Error>("piece")]);
        Body::from_stream(first.chain(stream::pending()))
    };
    Router::new()
        .route("/quick", get(async || "quick"))
        .route("/never", get(std::future::pending::<()>))
        .route("/unfinished", get(async move || unfinished()))
        .route(
            "/events",
            get(async move || ([(CONTENT_TYPE, "text/event-stream")], unfinished())),
        )
        .route("/upload", post(async |body: Bytes| body))
        .route("/socket", any(open_socket))
        .layer(MapRequestLayer::new(move |request: Request<_>| {
            seen.fetch_add(1, Ordering::Relaxed);
            request
        }))
        .layer(ends.observe(MetricsLayer::new().registry(registry)))
}

async fn open_socket(upgrade: WebSocketUpgrade, guard: UpgradeGuard) -> Response {
    upgrade.on_upgrade(|mut socket: WebSocket| async move {
        let _guard = guard;
        while socket.recv().await.is_some() {}
    })
}

fn serve(runtime: &Runtime, app: Router) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(axum::serve(listener, app).into_future());
    address
}

/// Sends a request: its first line without the version, its other headers, and a part of its
/// body.
fn send(address: SocketAddr, line: &str, headers: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LONGEST)).unwrap();
    write!(
        socket,
        "{line} HTTP/1.1\r\nHost: test\r\n{headers}\r\n{body}"
    )
    .unwrap();
    socket
}

fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LONGEST, "it never came to that");
        thread::yield_now();
    }
}

#[test]
fn each_request_is_counted_once_when_the_runtime_shuts_down() {
    let ends: [End; 3] = [
        ("drop", drop),
        ("shutdown_background", Runtime::shutdown_background),
        ("shutdown_timeout", |runtime| {
            runtime.shutdown_timeout(LONGEST);
        }),
    ];
    for (name, end) in ends {
        let registry = Registry::new();
        let seen = Arc::new(AtomicU32::new(0));
        let ends = RequestEnds::default();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let address = serve(&runtime, app(&registry, &seen, &ends));
        let mut sockets = Vec::new();
        for _ in 0..EACH {
            let mut quick = send(address, "GET /quick", "", "");
            assert_ne!(quick.read(&mut [0; 64]).unwrap(), 0);
            sockets.extend([
                quick,
                send(address, "GET /never", "", ""),
                send(address, "GET /unfinished", "", ""),
                send(address, "GET /events", "", ""),
                send(address, "POST /upload", "Content-Length: 10\r\n", "half"),
                send(address, "GET /socket", UPGRADE, ""),
            ]);
        }
        let count = |metric| sum(&registry, metric, &[]);
        let in_flight = || count("http_requests_in_flight");
        let each = f64::from(EACH);
        until(|| {
            in_flight() == 4.0 * each
                && count("http_upgrades_in_flight") == each
                && count("http_streams_in_flight") == each
                // The quick responses, and a piece of each unfinished one.
                && count("http_response_body_bytes_total") == 3.0 * 5.0 * each
                && count("http_request_body_bytes_total") == 4.0 * each
        });

        end(runtime);
        // In the background, tasks end a little later.
        until(|| in_flight() == 0.0 && count("http_upgrades_in_flight") == 0.0);
        assert_eq!(seen.load(Ordering::Relaxed), 6 * EACH, "{name}");
        for (outcome, route) in [
            ("ok", "/quick"),
            ("cancelled_before_head", "/never"),
            ("cancelled_in_body", "/unfinished"),
            ("cancelled_in_body", "/events"),
            ("cancelled_before_head", "/upload"),
            ("upgraded", "/socket"),
        ] {
            let labels = [("outcome", outcome), ("route", route)];
            let counted = sum(&registry, "http_requests_total", &labels);
            assert_eq!(counted, each, "{name}: {route}");
        }
        for (metric, number) in [
            ("http_requests_total", 6.0),
            ("http_request_duration_seconds", 6.0),
            // The event streams and the sockets.
            ("http_stream_duration_seconds", 2.0),
            ("http_streams_in_flight", 0.0),
        ] {
            assert_eq!(count(metric), number * each, "{name}: {metric}");
        }
        // It is called after a request is no longer in flight.
        until(|| ends.calls() == 6 * EACH);
        ends.assert_counted(&registry);
    }
}
