//! Shutdowns of real servers that wait for the last scrape.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Version};
use tachometer::router::MetricsServer;
use tachometer::{MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::scrape_fixture::{END, HOUR, large, small};
use crate::support::loopback::Caller;
use crate::support::wait::until;

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn start(registry: &Registry) -> MetricsServer {
    // Nothing ends a slow scrape.
    let settings = MetricsRouter::new().registry(registry).scrape_timeout(HOUR);
    settings.serve_on("127.0.0.1:0").await.unwrap()
}

async fn read_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut response = Vec::new();
    // A reset is an end, too.
    let _ = client.read_to_end(&mut response).await;
    response
}

async fn status(address: SocketAddr, path: &str) -> StatusCode {
    let caller = Caller::new(Version::HTTP_11);
    let response = caller.get(&format!("http://{address}{path}")).await;
    response.unwrap().status
}

#[tokio::test]
async fn readiness_fails_after_the_call_and_the_server_stops_after_the_scrape() {
    let registry = small();
    let server = start(&registry).await;
    let (address, last_scrape) = (server.local_addr(), server.last_scrape());
    assert_eq!(status(address, "/readyz").await, StatusCode::OK);
    let shutdown = tokio::spawn(server.shutdown_after_scrape(HOUR));
    until(|| last_scrape.is_shutting_down()).await;
    for (path, expected) in [
        ("/readyz", StatusCode::SERVICE_UNAVAILABLE),
        ("/healthz", StatusCode::OK),
        ("/metrics/json", StatusCode::OK),
        ("/", StatusCode::OK),
    ] {
        assert_eq!(status(address, path).await, expected, "{path}");
    }
    assert!(!shutdown.is_finished());
    // A request of the application that ends during the shutdown is in the last scrape.
    registry.counter("jobs", "Jobs.").unwrap().inc();
    let caller = Caller::new(Version::HTTP_11);
    let url = format!("http://{address}/metrics");
    let scrape = caller.get(&url).await.unwrap().body;
    assert!(scrape.contains("\njobs_total 2\n"), "{scrape}");
    drop(caller);
    assert_eq!(shutdown.await.unwrap(), Ok(()));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_server_stops_once_the_client_has_all_of_the_last_scrape() {
    let registry = large();
    let server = start(&registry).await;
    let (address, last_scrape) = (server.local_addr(), server.last_scrape());
    // It began before the call, and ends after it.
    let mut earlier = TcpStream::connect(address).await.unwrap();
    earlier.write_all(REQUEST).await.unwrap();
    earlier.read_exact(&mut [0; 1]).await.unwrap();
    let shutdown = tokio::spawn(server.shutdown_after_scrape(HOUR));
    until(|| last_scrape.is_shutting_down()).await;
    let mut aborted = TcpStream::connect(address).await.unwrap();
    aborted.write_all(REQUEST).await.unwrap();
    aborted.read_exact(&mut [0; 1]).await.unwrap();
    aborted.set_zero_linger().unwrap();
    drop(aborted);
    let mut response = Vec::new();
    while !response.ends_with(END) {
        earlier.read_buf(&mut response).await.unwrap();
    }
    assert_eq!(status(address, "/healthz").await, StatusCode::OK);
    assert!(!shutdown.is_finished());

    // Another scrape, which ends after the last one that is awaited.
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(REQUEST).await.unwrap();
    slow.read_exact(&mut [0; 1]).await.unwrap();
    let mut last = TcpStream::connect(address).await.unwrap();
    last.write_all(REQUEST).await.unwrap();
    let response = read_to_end(&mut last).await;
    assert!(response.starts_with(b"HTTP/1.1 200") && response.ends_with(END));
    while TcpStream::connect(address).await.is_ok() {}
    assert!(!shutdown.is_finished());
    assert!(read_to_end(&mut slow).await.ends_with(END));
    assert_eq!(shutdown.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_server_stops_without_a_scrape() {
    let server = start(&small()).await;
    let address = server.local_addr();
    let begin = Instant::now();
    let deadline = Duration::from_secs(35);
    let error = server.shutdown_after_scrape(deadline).await.unwrap_err();
    assert_eq!(begin.elapsed().as_secs(), 35);
    assert_eq!((error.completed(), error.expected()), (0, 1));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_dropped_wait_leaves_the_server_running() {
    let server = start(&small()).await;
    let address = server.local_addr();
    let waiting = tokio::spawn({
        let last_scrape = server.last_scrape();
        async move { last_scrape.wait(HOUR).await }
    });
    until(|| server.last_scrape().is_shutting_down()).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    for (path, expected) in [
        ("/metrics", StatusCode::OK),
        ("/readyz", StatusCode::SERVICE_UNAVAILABLE),
        ("/healthz", StatusCode::OK),
    ] {
        assert_eq!(status(address, path).await, expected, "{path}");
    }
    server.shutdown().await;
}

/// As in the documentation: the application serves the metrics, and stops after the scrape.
#[tokio::test]
async fn an_application_that_serves_its_metrics_stops_after_the_last_scrape() {
    let registry = large();
    let settings = MetricsRouter::new().registry(&registry);
    let last_scrape = settings.last_scrape();
    let handle = last_scrape.clone();
    let app = Router::new().nest("/metrics", settings.build());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        last_scrape.wait(HOUR).await.unwrap();
    });
    let server = tokio::spawn(server.into_future());
    until(|| handle.is_shutting_down()).await;
    assert_eq!(status(address, "/metrics/summary").await, StatusCode::OK);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    let response = read_to_end(&mut client).await;
    assert!(response.starts_with(b"HTTP/1.1 200") && response.ends_with(END));
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_that_waits_can_be_joined_with_another() {
    let server = start(&small()).await;
    let address = server.local_addr();
    let last_scrape = server.last_scrape();
    let scrape = async {
        until(|| last_scrape.is_shutting_down()).await;
        status(address, "/metrics").await
    };
    let (shutdown, status) = tokio::join!(server.shutdown_after_scrape(HOUR), scrape);
    assert_eq!((shutdown, status), (Ok(()), StatusCode::OK));
}
