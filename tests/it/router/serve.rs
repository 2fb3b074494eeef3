//! `MetricsRouter::serve`: the metrics on a separate listener.
//!
//! A paused clock advances when all tasks are idle, so timeouts of half a minute take no time.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, StatusCode, Version};
use http_body_util::BodyExt;
use tachometer::router::MetricsServer;
use tachometer::{MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, pause, resume, sleep, timeout};

use crate::support::loopback::Caller;
use crate::support::wait::until;
use crate::support::warnings::warnings;

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// The end of a chunked response.
const END: &[u8] = b"\r\n0\r\n\r\n";
/// A timeout longer than any step.
const LONG: Duration = Duration::from_secs(300);
/// Megabytes; more than the buffers of a socket hold.
const MUCH: usize = 24;

fn metrics() -> MetricsRouter {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    MetricsRouter::new().registry(&registry)
}

/// Metrics of [`MUCH`] megabytes, in no time.
fn much() -> MetricsRouter {
    let registry = Registry::new();
    for number in 0..MUCH {
        let help = "h".repeat(1 << 20);
        registry.counter(&format!("c{number}"), &help).unwrap();
    }
    MetricsRouter::new().registry(&registry)
}

async fn start(settings: MetricsRouter) -> MetricsServer {
    settings.serve_on("127.0.0.1:0").await.unwrap()
}

/// Connects with small buffers.
async fn connect(serving: &MetricsServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1 << 16).unwrap();
    socket.connect(serving.local_addr()).await.unwrap()
}

/// Reads until the connection ends.
async fn read_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let read = timeout(LONG, client.read_to_end(&mut answer)).await;
    // An error is one way to hang up.
    let _ = read.expect("it does not hang up");
    answer
}

async fn read_answer(client: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    while !answer.ends_with(END) {
        let read = timeout(LONG, client.read_buf(&mut answer)).await;
        let read = read.expect("it does not answer").unwrap();
        assert!(read > 0, "{} bytes", answer.len());
    }
    answer
}

#[tokio::test]
async fn a_listener_that_cannot_bind_its_address_registers_nothing() {
    let registry = Registry::new();
    let running = start(MetricsRouter::new()).await;
    let second = MetricsRouter::new().registry(&registry);
    let error = second.serve_on(running.local_addr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let names: Vec<_> = registry
        .metrics()
        .iter()
        .map(|metric| metric.name().to_owned())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test]
async fn the_listener_answers_only_below_metrics() {
    let serving = start(metrics()).await;
    let caller = Caller::new(Version::HTTP_11);
    for (method, path, status) in [
        (Method::GET, "/metrics", StatusCode::OK),
        (Method::HEAD, "/metrics", StatusCode::OK),
        (Method::GET, "/metrics/json?a=b", StatusCode::OK),
        (Method::POST, "/metrics", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/metrics/unknown", StatusCode::NOT_FOUND),
        (Method::GET, "/unknown", StatusCode::NOT_FOUND),
        (Method::GET, "/json", StatusCode::NOT_FOUND),
    ] {
        let url = format!("http://{}{path}", serving.local_addr());
        let answer = caller.call(method.clone(), &url).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let has_metrics = status == StatusCode::OK && method == Method::GET;
        assert_eq!(answer.body.contains("jobs"), has_metrics);
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn the_listener_serves_system_metrics_and_the_page() {
    let serving = start(metrics()).await;
    let caller = Caller::new(Version::HTTP_11);
    let at = |path: &str| format!("http://{}/metrics{path}", serving.local_addr());
    let scrape = caller.get(&at("")).await.unwrap();
    assert!(scrape.body.contains("\nsystem_memory_bytes "));
    let page = caller.get(&at("/dashboard")).await.unwrap();
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    serving.shutdown().await;
}

#[tokio::test]
async fn credentials_and_networks_are_checked_on_every_path() {
    let settings = metrics()
        .bearer_token("a token")
        .allowed_networks(["127.0.0.1"])
        .unwrap();
    let inside = start(settings).await;
    let outside = start(metrics().allowed_networks(["10.0.0.0/8"]).unwrap()).await;
    let caller = Caller::new(Version::HTTP_11);
    for path in ["/metrics", "/metrics/json", "/metrics/unknown", "/"] {
        let url = format!("http://{}{path}", inside.local_addr());
        let answer = caller.get(&url).await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        let url = format!("http://{}{path}", outside.local_addr());
        let answer = caller.get(&url).await.unwrap();
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let url = format!("http://{}/metrics", inside.local_addr());
    let shown = [(AUTHORIZATION, "Bearer a token")];
    let answer = caller.send(Method::GET, &url, &shown).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    drop(answer.into_body().collect().await.unwrap());
    inside.shutdown().await;
    outside.shutdown().await;
}

#[tokio::test]
async fn it_listens_on_loopback_by_default() {
    let expected = SocketAddr::from((Ipv4Addr::LOCALHOST, 9464));
    let serving = match metrics().serve().await {
        Ok(serving) => serving,
        // Another server already does.
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            return;
        }
    };
    assert_eq!(serving.local_addr(), expected);
    let second = metrics().serve_on(expected).await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
    serving.shutdown().await;
    // The port is free again.
    metrics().serve_on(expected).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn shutdown_finishes_running_scrapes_and_accepts_no_more() {
    let serving = start(much()).await;
    let address = serving.local_addr();
    let mut idle = connect(&serving).await;
    let mut under_way = connect(&serving).await;
    under_way.write_all(REQUEST).await.unwrap();
    under_way.read_exact(&mut [0; 1]).await.unwrap();

    let shutdown = tokio::spawn(serving.shutdown());
    assert_eq!(read_to_end(&mut idle).await, b"");
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(!shutdown.is_finished());
    let answer = read_to_end(&mut under_way).await;
    assert!(answer.ends_with(END) && answer.len() > MUCH << 20);
    shutdown.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_cuts_off_a_scrape_that_does_not_finish() {
    let serving = start(much()).await;
    let mut stalled = connect(&serving).await;
    stalled.write_all(REQUEST).await.unwrap();
    stalled.read_exact(&mut [0; 1]).await.unwrap();
    let start = Instant::now();
    serving.shutdown().await;
    let took = start.elapsed();
    assert!((10..11).contains(&took.as_secs()), "{took:?}");
    assert!(!read_to_end(&mut stalled).await.ends_with(END));
}

#[tokio::test]
async fn dropping_the_server_shuts_it_down_in_the_background() {
    let serving = start(much()).await;
    let mut idle = connect(&serving).await;
    let mut under_way = connect(&serving).await;
    under_way.write_all(REQUEST).await.unwrap();
    under_way.read_exact(&mut [0; 1]).await.unwrap();
    let address = serving.local_addr();
    drop(serving);
    assert_eq!(read_to_end(&mut idle).await, b"");
    assert!(read_to_end(&mut under_way).await.ends_with(END));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_its_request_is_cut_off() {
    let serving = start(metrics()).await;
    for head in [&b""[..], &REQUEST[..20]] {
        let start = Instant::now();
        let mut client = connect(&serving).await;
        client.write_all(head).await.unwrap();
        read_to_end(&mut client).await;
        let took = start.elapsed();
        assert!((9..11).contains(&took.as_secs()), "{took:?}");
    }
    serving.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_cut_off() {
    let serving = start(much()).await;
    let mut client = connect(&serving).await;
    client.write_all(REQUEST).await.unwrap();
    client.read_exact(&mut [0; 1]).await.unwrap();
    sleep(Duration::from_secs(31)).await;
    // A paused clock does not wait for I/O in flight.
    resume();
    let answer = read_to_end(&mut client).await;
    assert!(!answer.ends_with(END) && answer.len() < MUCH << 20);

    // A request that began in time is not cut off.
    pause();
    let mut client = connect(&serving).await;
    client.write_all(REQUEST).await.unwrap();
    client.read_exact(&mut [0; 1]).await.unwrap();
    sleep(Duration::from_secs(20)).await;
    resume();
    assert!(read_answer(&mut client).await.len() > MUCH << 20);
    drop(client);
    serving.shutdown().await;
}

#[tokio::test]
async fn ended_connections_free_their_slots() {
    let serving = start(metrics().max_connections(1)).await;
    for _ in 0..200 {
        let mut client = connect(&serving).await;
        client.write_all(REQUEST).await.unwrap();
        read_answer(&mut client).await;
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn an_error_on_one_connection_affects_no_other() {
    let serving = start(metrics()).await;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..300 {
        let mut client = connect(&serving).await;
        let noise: Vec<u8> = (0..random.usize(0..400)).map(|_| random.u8(..)).collect();
        let cut = random.usize(0..=REQUEST.len());
        // It may have hung up by then.
        let _ = client.write_all(&REQUEST[..cut]).await;
        let _ = client.write_all(&noise).await;
        if round % 2 == 0 {
            client.set_zero_linger().unwrap();
        }
    }
    let mut client = connect(&serving).await;
    client.write_all(REQUEST).await.unwrap();
    assert!(read_answer(&mut client).await.starts_with(b"HTTP/1.1 200"));
    drop(client);
    serving.shutdown().await;
}

/// In a separate process with a low limit of files.
#[test]
fn it_accepts_again_after_running_out_of_file_descriptors() {
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 100; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "router::serve::without_file_descriptors",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let has_passed = output.status.success() && text.contains("1 passed");
    assert!(has_passed, "{text}");
}

#[test]
#[ignore = "it takes all file descriptors of its process; the test above runs it"]
fn without_file_descriptors() {
    let has_warned = Arc::new(AtomicBool::new(false));
    let warned = Arc::clone(&has_warned);
    let run = async {
        let serving = start(metrics()).await;
        let socket = TcpSocket::new_v4().unwrap();
        let mut files = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
        }
        let mut client = socket.connect(serving.local_addr()).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        until(|| has_warned.load(Ordering::Relaxed)).await;
        // It retries without further warnings.
        pause();
        sleep(Duration::from_secs(10)).await;
        resume();
        drop(files);
        assert!(read_answer(&mut client).await.starts_with(b"HTTP/1.1 200"));
        serving.shutdown().await;
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let messages = warnings(
        move || warned.store(true, Ordering::Relaxed),
        || runtime.block_on(run),
    );
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("too many open files"), "{messages:?}");
}
