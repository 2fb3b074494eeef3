//! Clients that disconnect, and when hyper notices.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::any;
use tachometer::{MetricsLayer, Registry};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::support::read::sum;
use crate::support::wait::until;

const CLIENTS: u32 = 20;
const ALL: f64 = CLIENTS as f64;

const PLAIN: &str = "GET /never HTTP/1.1\r\nhost: here\r\n\r\n";
/// A second request waits behind the first one.
const PIPELINED: &str =
    "GET /never HTTP/1.1\r\nhost: here\r\n\r\nGET /never HTTP/1.1\r\nhost: here\r\n\r\n";
/// The handler does not read the body, of which there is more to come.
const UNREAD: &str = "POST /never HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\nbody";

/// A server on a separate runtime, whose handlers return when they are released.
struct Server {
    registry: Registry,
    address: SocketAddr,
    release: watch::Sender<bool>,
    runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let registry = Registry::new();
        let (release, released) = watch::channel(false);
        let never = move |request: Request<Body>| {
            let mut released = released.clone();
            async move {
                // Kept, and not read.
                let _request = request;
                released.wait_for(|released| *released).await.unwrap();
                "released"
            }
        };
        let app = Router::new()
            .route("/never", any(never))
            .layer(MetricsLayer::new().registry(&registry));
        // One thread: what happens to a connection first is noticed first.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await
        });
        Self {
            registry,
            address,
            release,
            runtime,
        }
    }

    fn in_flight(&self) -> f64 {
        sum(&self.registry, "http_requests_in_flight", &[])
    }

    fn cancelled(&self) -> f64 {
        let labels = [("outcome", "cancelled_before_head")];
        sum(&self.registry, "http_requests_total", &labels)
    }

    /// Sends `sent` from each client, waits until all of these requests are in flight, and
    /// closes the connections.
    async fn hang_up(&self, sent: &str) {
        let before = self.in_flight();
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = TcpStream::connect(self.address).await.unwrap();
            client.write_all(sent.as_bytes()).await.unwrap();
            clients.push(client);
        }
        until(|| self.in_flight() == before + ALL).await;
        for mut client in clients {
            client.shutdown().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_disconnect_is_noticed_unless_received_bytes_are_unread() {
    for sent in [PIPELINED, UNREAD] {
        for drops_runtime in [false, true] {
            let server = Server::start();
            server.hang_up(sent).await;
            // These disconnect later, and are noticed.
            server.hang_up(PLAIN).await;
            until(|| server.cancelled() == ALL).await;
            assert_eq!(server.in_flight(), ALL, "{sent:?}");
            if drops_runtime {
                let registry = server.registry.clone();
                server.runtime.shutdown_background();
                until(|| sum(&registry, "http_requests_in_flight", &[]) == 0.0).await;
                continue;
            }
            // Each is in flight until its handler ends.
            server.release.send(true).unwrap();
            until(|| server.in_flight() == 0.0).await;
            let total = sum(&server.registry, "http_requests_total", &[]);
            assert!(total >= 2.0 * ALL, "{total}");
            server.runtime.shutdown_background();
        }
    }
}
