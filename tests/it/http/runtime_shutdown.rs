//! A runtime that shuts down while requests are in flight.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use futures_util::{StreamExt, stream};
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

fn app(registry: &Registry, seen: &Arc<AtomicU32>, ends: &RequestEnds) -> Router {
    let seen = Arc::clone(seen);
    let unfinished = || {
        let first = stream::iter([Ok::<_, std::io::Error>("piece")]);
        first.chain(stream::pending())
    };
    Router::new()
        .route("/quick", get(async || "quick"))
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/unfinished",
            get(async move || Body::from_stream(unfinished())),
        )
        .layer(MapRequestLayer::new(move |request: Request<_>| {
            seen.fetch_add(1, Ordering::Relaxed);
            request
        }))
        .layer(ends.observe(MetricsLayer::new().registry(registry)))
}

fn serve(runtime: &Runtime, app: Router) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(axum::serve(listener, app).into_future());
    address
}

fn send_request(address: SocketAddr, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LONGEST)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
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
            let mut quick = send_request(address, "/quick");
            assert_ne!(quick.read(&mut [0; 64]).unwrap(), 0);
            sockets.extend([
                quick,
                send_request(address, "/never"),
                send_request(address, "/unfinished"),
            ]);
        }
        let in_flight = || sum(&registry, "http_requests_in_flight", &[]);
        let bytes = || sum(&registry, "http_response_body_bytes_total", &[]);
        // A piece of each unfinished answer, too.
        until(|| in_flight() == f64::from(2 * EACH) && bytes() == f64::from(2 * 5 * EACH));

        end(runtime);
        // In the background, tasks end a little later.
        until(|| in_flight() == 0.0);
        assert_eq!(seen.load(Ordering::Relaxed), 3 * EACH, "{name}");
        for (outcome, route) in [
            ("ok", "/quick"),
            ("cancelled_before_head", "/never"),
            ("cancelled_in_body", "/unfinished"),
        ] {
            let labels = [("outcome", outcome), ("route", route)];
            let counted = sum(&registry, "http_requests_total", &labels);
            assert_eq!(counted, f64::from(EACH), "{name}: {outcome}");
        }
        let all = f64::from(3 * EACH);
        assert_eq!(sum(&registry, "http_requests_total", &[]), all, "{name}");
        let durations = sum(&registry, "http_request_duration_seconds", &[]);
        assert_eq!(durations, all, "{name}");
        // It is called after a request is no longer in flight.
        until(|| ends.calls() == 3 * EACH);
        ends.assert_counted(&registry);
    }
}
