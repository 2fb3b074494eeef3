//! The same service with and without the layer, as its clients see it.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, TRAILER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::routing::get;
use axum::serve::Listener;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tachometer::{MetricsLayer, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::task::yield_now;

use crate::support::loopback::{Caller, Server};

const PIECES: [&str; 4] = ["one, ", "two, ", "", "three"];
const ROUTES: [&str; 9] = [
    "/exact",
    "/unknown",
    "/declared",
    "/empty",
    "/trailers",
    "/only-trailers",
    "/events",
    "/no-content",
    "/not-modified",
];

/// Returns a body of frames without a known length.
fn frames(frames: impl IntoIterator<Item = Frame<Bytes>, IntoIter: Send + 'static>) -> Body {
    Body::new(StreamBody::new(
        stream::iter(frames).map(Ok::<_, Infallible>),
    ))
}

fn data_frames() -> impl Iterator<Item = Frame<Bytes>> {
    let pieces = PIECES
        .into_iter()
        .map(|piece| Bytes::from_static(piece.as_bytes()));
    pieces.map(Frame::data)
}

fn trailers() -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("42"));
    Frame::trailers(trailers)
}

fn app() -> Router {
    Router::new()
        .route("/exact", get(async || "one, two, three"))
        .route("/unknown", get(async || frames(data_frames())))
        .route(
            "/declared",
            get(async || ([(CONTENT_LENGTH, 15)], frames(data_frames()))),
        )
        .route("/empty", get(async || ()))
        .route(
            "/trailers",
            get(async || {
                let body = frames(data_frames().chain([trailers()]));
                ([(TRAILER, "checksum")], body)
            }),
        )
        .route(
            "/only-trailers",
            get(async || ([(TRAILER, "checksum")], frames([trailers()]))),
        )
        .route(
            "/events",
            get(async || ([(CONTENT_TYPE, "text/event-stream")], frames(data_frames()))),
        )
        .route("/no-content", get(async || StatusCode::NO_CONTENT))
        .route("/not-modified", get(async || StatusCode::NOT_MODIFIED))
}

fn measured(app: Router) -> Router {
    app.layer(MetricsLayer::new().registry(&Registry::new()))
}

/// Returns all bytes of one connection, except the date.
async fn over_http_1(server: SocketAddr, method: &Method, route: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "{method} {route} HTTP/1.1\r\nhost: here\r\nte: trailers\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let lines = answer.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("date:")).collect()
}

/// Returns the parts of a response, except the date.
async fn over_http_2(
    server: SocketAddr,
    method: &Method,
    route: &str,
) -> (StatusCode, HeaderMap, Option<HeaderMap>, Bytes) {
    let caller = Caller::new(Version::HTTP_2);
    let url = format!("http://{server}{route}");
    let (mut head, body) = caller
        .open(method.clone(), &url)
        .await
        .unwrap()
        .into_parts();
    head.headers.remove(DATE);
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    (head.status, head.headers, trailers, body.to_bytes())
}

#[tokio::test]
async fn answers_are_the_same_to_the_byte_over_http_1() {
    let servers = [
        Server::start(app()).await,
        Server::start(measured(app())).await,
    ];
    let [bare, measured] = servers.each_ref().map(|server| server.address);
    for route in ROUTES {
        for method in [Method::GET, Method::HEAD] {
            let expected = over_http_1(bare, &method, route).await;
            let answer = over_http_1(measured, &method, route).await;
            assert_eq!(answer, expected, "{method} {route}");
        }
    }
    // Checks that the intended cases were compared.
    let exact = over_http_1(measured, &Method::GET, "/exact").await;
    assert!(exact.contains("content-length: 15\r\n"), "{exact}");
    let streamed = over_http_1(measured, &Method::GET, "/trailers").await;
    let end = "\r\n\r\n5\r\none, \r\n5\r\ntwo, \r\n5\r\nthree\r\n0\r\nchecksum: 42\r\n\r\n";
    assert!(streamed.ends_with(end), "{streamed}");
}

#[tokio::test]
async fn answers_are_the_same_over_http_2() {
    let servers = [
        Server::start(app()).await,
        Server::start(measured(app())).await,
    ];
    let [bare, measured] = servers.each_ref().map(|server| server.address);
    for route in ROUTES {
        for method in [Method::GET, Method::HEAD] {
            let expected = over_http_2(bare, &method, route).await;
            let answer = over_http_2(measured, &method, route).await;
            assert_eq!(answer, expected, "{method} {route}");
        }
    }
    let (_, headers, trailers, body) = over_http_2(measured, &Method::GET, "/trailers").await;
    assert_eq!(headers.get(CONTENT_LENGTH), None);
    assert_eq!(trailers.unwrap()["checksum"], "42");
    assert_eq!(body, "one, two, three");
}

/// Listens for one connection, which is in memory.
struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.take() {
            Some(connection) => (connection, ()),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns how often an endless body is polled for a client that reads this many bytes and then
/// stalls.
async fn polls(read: usize, wrap: fn(Router) -> Router) -> u32 {
    let polls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&polls);
    let app = Router::new().route(
        "/",
        get(async move || {
            Body::from_stream(stream::repeat_with(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(&[b'x'; 1_000][..])
            }))
        }),
    );
    let (mut client, connection) = duplex(1 << 14);
    let server = axum::serve(Once(Some(connection)), wrap(app));
    let server = tokio::spawn(server.into_future());
    let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    client.write_all(request).await.unwrap();
    client.read_exact(&mut vec![0; read]).await.unwrap();
    // With one thread and in-memory I/O, the server is idle once other tasks have run this
    // often.
    for _ in 0..1_000 {
        yield_now().await;
    }
    server.abort();
    polls.load(Ordering::Relaxed)
}

#[tokio::test]
async fn the_body_is_not_polled_while_its_reader_stalls() {
    let mut last = 0;
    for read in [1, 100_000, 1_000_000] {
        let bare = polls(read, |app| app).await;
        assert_eq!(polls(read, measured).await, bare, "{read} bytes read");
        assert!(bare > last);
        last = bare;
    }
}
