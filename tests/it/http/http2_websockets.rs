//! WebSocket over HTTP/2: extended CONNECT (RFC 8441), in which each socket is a stream.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream, client};
use tachometer::middleware::UpgradeGuard;
use tachometer::{MetricsLayer, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::support::loopback::Server;
use crate::support::read::sum;
use crate::support::requests::requests;
use crate::support::wait::until;

const SOCKETS: usize = 50;
const LONG: Duration = Duration::from_secs(60);

async fn echo(mut socket: WebSocket, _guard: UpgradeGuard) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            break;
        }
    }
}

async fn chat(upgrade: WebSocketUpgrade, guard: UpgradeGuard) -> Response {
    upgrade.on_upgrade(|socket| echo(socket, guard))
}

fn app(registry: &Registry) -> Router {
    Router::new()
        .route("/ws/{chat}", any(chat))
        .route("/closed", any(async || StatusCode::FORBIDDEN))
        .layer(MetricsLayer::new().registry(registry))
}

/// An HTTP/2 connection whose server accepts extended CONNECT.
struct Connection {
    address: SocketAddr,
    sender: SendRequest<Bytes>,
    task: JoinHandle<()>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = client::handshake(stream).await.unwrap();
        let task = tokio::spawn(async {
            let _ = connection.await;
        });
        let accepts = || sender.is_extended_connect_protocol_enabled();
        until(accepts).await;
        Self {
            address,
            sender,
            task,
        }
    }

    /// Asks for a WebSocket, and returns the status and both halves of the stream.
    async fn connect(&self, path: &str) -> (StatusCode, SendStream<Bytes>, RecvStream) {
        let request = Request::builder()
            .method(Method::CONNECT)
            .uri(format!("http://{}{path}", self.address))
            .extension(Protocol::from("websocket"))
            .header("sec-websocket-version", "13");
        let request = request.body(()).unwrap();
        let mut sender = self.sender.clone().ready().await.unwrap();
        let (response, sending) = sender.send_request(request, false).unwrap();
        let (head, receiving) = response.await.unwrap().into_parts();
        (head.status, sending, receiving)
    }

    async fn open_socket(&self, path: &str) -> WebSocketStream<DuplexStream> {
        let (status, sending, receiving) = self.connect(path).await;
        assert_eq!(status, StatusCode::OK);
        let (near, far) = duplex(1 << 16);
        tokio::spawn(pump(far, sending, receiving));
        WebSocketStream::from_raw_socket(near, Role::Client, None).await
    }
}

/// Moves bytes between a stream of HTTP/2 and a pipe, until one of them ends. If the pipe is
/// closed, the stream is reset.
async fn pump(pipe: DuplexStream, mut sending: SendStream<Bytes>, mut receiving: RecvStream) {
    let (mut reader, mut writer) = tokio::io::split(pipe);
    let upwards = async {
        let mut buffer = vec![0; 1 << 12];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            sending.reserve_capacity(length);
            while sending.capacity() < length {
                let Some(Ok(_)) = poll_fn(|context| sending.poll_capacity(context)).await else {
                    return;
                };
            }
            let data = Bytes::copy_from_slice(&buffer[..length]);
            if sending.send_data(data, false).is_err() {
                return;
            }
        }
        sending.send_reset(Reason::CANCEL);
    };
    let downwards = async {
        while let Some(Ok(data)) = receiving.data().await {
            let _ = receiving.flow_control().release_capacity(data.len());
            if writer.write_all(&data).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
    }
}

#[tokio::test]
async fn websockets_over_http_2_are_in_flight_while_they_are_open() {
    let registry = Registry::new();
    let server = Server::start(app(&registry)).await;
    let connection = Connection::open(server.address).await;
    let count = |metric| sum(&registry, metric, &[("route", "/ws/{chat}")]);

    let mut sockets = Vec::new();
    for chat in 0..SOCKETS {
        sockets.push(connection.open_socket(&format!("/ws/{chat}")).await);
    }
    until(|| count("http_upgrades_in_flight") == 50.0).await;
    // Their requests have ended, although their streams are open.
    until(|| count("http_requests_in_flight") == 0.0).await;
    assert_eq!(requests(&registry), ["CONNECT /ws/{chat} 200 upgraded 50"]);
    assert_eq!(count("http_stream_duration_seconds"), 0.0);

    let mut resets = 0;
    for (number, mut socket) in sockets.into_iter().enumerate() {
        let text = Message::text(format!("hello {number}"));
        socket.send(text.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), text);
        match number % 3 {
            0 => socket.close(None).await.unwrap(),
            // The stream is reset.
            1 => resets += 1,
            // The connection will be closed while the socket is open.
            _ => std::mem::forget(socket),
        }
    }
    assert_eq!(resets, 17);
    until(|| count("http_upgrades_in_flight") == 16.0).await;
    assert_eq!(count("http_stream_duration_seconds"), 34.0);

    connection.task.abort();
    until(|| count("http_upgrades_in_flight") == 0.0).await;
    assert_eq!(count("http_stream_duration_seconds"), 50.0);
    drop(connection);
    timeout(LONG, server.stop())
        .await
        .expect("a socket is open");
    assert_eq!(requests(&registry), ["CONNECT /ws/{chat} 200 upgraded 50"]);
}

#[tokio::test]
async fn a_websocket_over_http_2_that_is_refused_is_an_error_of_the_client() {
    let registry = Registry::new();
    let server = Server::start(app(&registry)).await;
    let connection = Connection::open(server.address).await;
    for (path, status) in [
        ("/closed", StatusCode::FORBIDDEN),
        ("/elsewhere", StatusCode::NOT_FOUND),
    ] {
        let (refused, ..) = connection.connect(path).await;
        assert_eq!(refused, status);
    }
    drop(connection);
    timeout(LONG, server.stop())
        .await
        .expect("a stream is open");
    until(|| sum(&registry, "http_requests_in_flight", &[]) == 0.0).await;
    let expected = [
        "CONNECT /closed 403 client_error 1",
        "CONNECT unmatched 404 client_error 1",
    ];
    assert_eq!(requests(&registry), expected);
    assert_eq!(sum(&registry, "http_upgrades_in_flight", &[]), 0.0);
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 0.0);
}
