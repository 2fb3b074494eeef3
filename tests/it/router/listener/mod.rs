//! The listener under hostile clients: connections, scrapes, paths and hosts.

mod connection_limits;
mod paths_and_hosts;
mod scrape_limits;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tachometer::router::MetricsServer;
use tachometer::{MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const REQUEST: &str =
    "GET /metrics?name[]=jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const ALL: &str = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The default scrape timeout of Prometheus.
const SCRAPE: Duration = Duration::from_secs(10);
const US: Ipv4Addr = Ipv4Addr::LOCALHOST;
const THEM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Metrics of this many megabytes, which are made quickly.
fn metrics(megabytes: usize) -> (MetricsRouter, Registry) {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    for number in 0..megabytes {
        let help = "h".repeat(1 << 20);
        registry.counter(&format!("c{number}"), &help).unwrap();
    }
    (MetricsRouter::new().registry(&registry), registry)
}

async fn start(settings: MetricsRouter) -> MetricsServer {
    settings.serve_on("0.0.0.0:0").await.unwrap()
}

/// Connects from an address of this machine, with a small receive buffer, and sends a text.
async fn connect(serving: &MetricsServer, from: Ipv4Addr, send: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let to = SocketAddr::from((US, serving.local_addr().port()));
    let mut client = socket.connect(to).await.unwrap();
    // It may be refused already.
    let _ = client.write_all(send.as_bytes()).await;
    client
}

/// Returns everything received until the connection ends.
async fn read(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(SCRAPE, client.read_to_end(&mut answer)).await;
    let _ = read.expect("it takes longer than a scraper waits");
    String::from_utf8(answer).unwrap()
}

async fn send_request(serving: &MetricsServer, from: Ipv4Addr, request: &str) -> String {
    read(&mut connect(serving, from, request).await).await
}

/// Scrapes, and expects the metrics within the timeout of a scraper.
async fn scrape(serving: &MetricsServer, from: Ipv4Addr) {
    let answer = send_request(serving, from, REQUEST).await;
    let is_whole = answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n0\r\n\r\n");
    assert!(is_whole && answer.contains("jobs_total 1"), "{answer}");
}
