//! HTTP/2 clients that open streams and reset them at once, as in rapid-reset attacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, Version};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use h2::{Reason, client};
use tachometer::{MetricsLayer, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::util::MapRequestLayer;

use crate::support::loopback::{Caller, Server};
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

/// The types of frames.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Returns a frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// Returns the frames that open a stream and reset it.
fn open_and_reset(stream: u32, path: &str) -> Vec<u8> {
    const END_OF_STREAM_AND_HEADERS: u8 = 0x5;

    // `:method: GET` and `:scheme: http` of the static table of HPACK, and two literals for
    // `:path` and `:authority`.
    let literal = |index: u8, value: &str| {
        let length = u8::try_from(value.len()).unwrap();
        [&[index, length], value.as_bytes()].concat()
    };
    let fields = [vec![0x82, 0x86], literal(4, path), literal(1, "test")].concat();
    let code = u32::from(Reason::CANCEL).to_be_bytes();
    [
        frame(HEADERS, END_OF_STREAM_AND_HEADERS, stream, &fields),
        frame(RST_STREAM, 0, stream, &code),
    ]
    .concat()
}

/// Reads frames until the response to a ping; returns false if the server refuses more streams
/// or closes the connection.
async fn is_accepted(socket: &mut TcpStream) -> std::io::Result<bool> {
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        socket.read_exact(&mut vec![0; length as usize]).await?;
        match (kind, flags) {
            (GOAWAY, _) => return Ok(false),
            (PING, 1) => return Ok(true),
            _ => {}
        }
    }
}

/// Opens and resets streams, a burst in each packet; returns false if the server refused them.
async fn rapid_reset(server: &Server, burst: usize) -> bool {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let start = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    socket.write_all(&start).await.unwrap();
    let streams: Vec<u32> = (0..STREAMS * 10).map(|number| 2 * number + 1).collect();
    for streams in streams.chunks(burst) {
        let mut packet = Vec::new();
        for stream in streams {
            let path = ["/quick", "/never", "/endless"][(stream / 2 % 3) as usize];
            packet.extend(open_and_reset(*stream, path));
        }
        packet.extend(frame(PING, 0, 0, &[0; 8]));
        let sent = socket.write_all(&packet).await;
        if sent.is_err() || !is_accepted(&mut socket).await.unwrap_or(false) {
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_that_a_rapid_reset_attack_gets_through_is_counted_once() {
    let registry = Registry::new();
    let seen = Arc::new(AtomicU32::new(0));
    let server = Server::start(app(&registry, &seen)).await;
    // The server refuses bursts of more than twenty streams.
    let bursts = [1, 2, 5, 20, 100, 600];
    let attacks = stream::iter(bursts.repeat(5)).map(|burst| rapid_reset(&server, burst));
    let limit = Duration::from_secs(60);
    let accepted: Vec<bool> = timeout(limit, attacks.buffer_unordered(8).collect())
        .await
        .expect("a connection hangs");

    // The server still responds.
    let caller = Caller::new(Version::HTTP_2);
    let url = format!("http://{}/quick", server.address);
    assert_eq!(caller.get(&url).await.unwrap().status, StatusCode::OK);
    drop(caller);
    timeout(limit, server.stop())
        .await
        .expect("a request is still under way");
    until(|| sum(&registry, "http_requests_in_flight", &[]) == 0.0).await;
    let seen = f64::from(seen.load(Ordering::Relaxed));
    println!("{seen} requests were seen; accepted connections: {accepted:?}");
    // One stream at a time is never refused.
    assert!(seen > 5.0 * 600.0, "{seen}");
    assert!(accepted.contains(&true) && accepted.contains(&false));
    let counted = |labels: &[_]| sum(&registry, "http_requests_total", labels);
    assert_eq!(counted(&[]), seen);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), seen);
    let ended = ["ok", "cancelled_before_head", "cancelled_in_body"];
    let ended = ended.map(|outcome| counted(&[("outcome", outcome)]));
    assert_eq!(ended.iter().sum::<f64>(), seen, "{ended:?}");
    assert_eq!(counted(&[("route", "/never"), ("outcome", "ok")]), 0.0);
}
