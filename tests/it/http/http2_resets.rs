//! HTTP/2 clients that open streams and reset them at once, as in rapid-reset attacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use h2::{Reason, client};
use tachometer::{MetricsLayer, Registry};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::util::MapRequestLayer;

use crate::support::loopback::Server;
use crate::support::read::sum;
use crate::support::wait::until;

const CONNECTIONS: u64 = 40;
const STREAMS: u32 = 60;

/// Handlers that respond at once, never, without end, or after reading the request.
fn app(registry: &Registry, seen: &Arc<AtomicU32>) -> Router {
    let seen = Arc::clone(seen);
    let endless = || stream::repeat_with(|| Ok::<_, std::io::Error>("piece"));
    Router::new()
        .route("/quick", get(async || "quick"))
        .route("/never", get(std::future::pending::<()>))
        .route("/endless", get(async move || Body::from_stream(endless())))
        .route("/upload", post(async |body: Bytes| body))
        .layer(MapRequestLayer::new(move |request: Request<_>| {
            seen.fetch_add(1, Ordering::Relaxed);
            request
        }))
        .layer(MetricsLayer::new().registry(registry))
}

/// Opens streams and resets most of them, until the server closes the connection or all are
/// opened; returns the number of resets.
async fn attack(server: &Server, seed: u64) -> u32 {
    let mut random = fastrand::Rng::with_seed(seed);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut resets = 0;
    let mut held = Vec::new();
    for _ in 0..STREAMS {
        let path = random.choice(["/quick", "/never", "/endless", "/upload"]);
        let path = path.unwrap();
        let uploads = path == "/upload";
        let request = Request::builder()
            .method(if uploads { "POST" } else { "GET" })
            .uri(format!("http://{}{path}", server.address));
        let request = request.body(()).unwrap();
        let Ok(mut ready) = sender.clone().ready().await else {
            break;
        };
        let Ok((response, mut sending)) = ready.send_request(request, !uploads) else {
            break;
        };
        if uploads {
            let _ = sending.send_data(Bytes::from_static(b"some"), false);
        }
        let ends = path == "/quick" || path == "/endless";
        match random.u8(..4) {
            // At once.
            0 => resets += 1,
            // After the server had a chance to begin.
            1 => {
                tokio::task::yield_now().await;
                resets += 1;
            }
            // After the head, or a part of the body.
            2 if ends => {
                let Ok(answer) = response.await else { break };
                if random.bool() {
                    let _ = answer.into_body().data().await;
                }
                resets += 1;
            }
            // With the connection.
            _ => {
                held.push((response, sending));
                continue;
            }
        }
        sending.send_reset(Reason::CANCEL);
    }
    // The socket is closed while streams are open.
    connection.abort();
    let _ = connection.await;
    resets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stream_that_a_client_resets_at_once_is_counted_once_and_none_stays_in_flight() {
    let registry = Registry::new();
    let seen = Arc::new(AtomicU32::new(0));
    let server = Server::start(app(&registry, &seen)).await;
    let attacks = stream::iter(0..CONNECTIONS).map(|seed| attack(&server, seed));
    let limit = Duration::from_secs(60);
    let resets: Vec<u32> = timeout(limit, attacks.buffer_unordered(8).collect())
        .await
        .expect("a connection hangs");
    let resets: u32 = resets.iter().sum();
    timeout(limit, server.stop())
        .await
        .expect("a request is still under way");

    // hyper runs each stream in a task, which may end after its connection.
    until(|| sum(&registry, "http_requests_in_flight", &[]) == 0.0).await;
    let seen = f64::from(seen.load(Ordering::Relaxed));
    println!("{resets} streams were reset, {seen} requests were seen");
    assert!(resets > 100 && seen > 100.0, "{resets} {seen}");
    assert_eq!(sum(&registry, "http_requests_total", &[]), seen);
    let durations = sum(&registry, "http_request_duration_seconds", &[]);
    assert_eq!(durations, seen);
    let cancelled = |outcome| sum(&registry, "http_requests_total", &[("outcome", outcome)]);
    let ended = [
        "ok",
        "cancelled_before_head",
        "cancelled_in_body",
        "body_error",
    ];
    // A body that is cut while it is read is the client's error.
    let ended = ended.map(cancelled).iter().sum::<f64>() + cancelled("client_error");
    assert_eq!(ended, seen);
    assert!(cancelled("cancelled_before_head") > 0.0);
    assert!(cancelled("cancelled_in_body") > 0.0);
}
