//! The effect of a hundred scrapers on a service: its response times over loopback, with and
//! without the scrapers.
//!
//! `cargo run --release --bin storm` in this folder. Service, callers and scrapers share
//! the machine, so the work of the scrapers slows the service, too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tachometer::{Counter, Label, MetricsLayer, MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

const SERIES: usize = 100_000;
const SCRAPERS: u32 = 100;
/// The interval of each scraper.
const EVERY: Duration = Duration::from_secs(15);
/// The number of connections that call the service, and the interval of each.
const CALLERS: usize = 8;
const CALL: Duration = Duration::from_millis(4);
/// The duration and number of the phases with and without scrapers.
const PHASE: Duration = Duration::from_secs(6);
const PHASES: usize = 5;

fn main() {
    let service = runtime(2);
    let address = service.block_on(serve());
    let outside = runtime(1);
    let scraping = Arc::new(AtomicBool::new(false));
    let read = Arc::new(AtomicU64::new(0));
    for number in 0..SCRAPERS {
        let (scraping, read) = (Arc::clone(&scraping), Arc::clone(&read));
        outside.spawn(scrape(address, EVERY * number / SCRAPERS, scraping, read));
    }
    let callers = runtime(1);
    let mut ratios = Vec::new();
    println!("| | calls | median, us | p99, us |\n| --- | --- | --- | --- |");
    for _ in 0..PHASES {
        let p99 = [false, true].map(|with| {
            scraping.store(with, Ordering::Relaxed);
            let before = read.load(Ordering::Relaxed);
            let mut times = callers.block_on(phase(address));
            times.sort_unstable();
            let at =
                |part: f64| times[(times.len() as f64 * part) as usize].as_nanos() as f64 / 1e3;
            let scraped = (read.load(Ordering::Relaxed) - before) as f64 / 1e6;
            let name = if with {
                format!("scraped, {scraped:.0} MB")
            } else {
                "alone".into()
            };
            println!(
                "| {name} | {} | {:.0} | {:.0} |",
                times.len(),
                at(0.5),
                at(0.99)
            );
            at(0.99)
        });
        ratios.push(p99[1] / p99[0]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("\np99 scraped, of that alone: {ratios:.2?}");
}

fn runtime(threads: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(threads).enable_all();
    builder.build().expect("a runtime")
}

async fn serve() -> SocketAddr {
    let registry = Registry::new();
    let family = registry.counter_family("orders_total", "Orders.", [Label::unlimited("customer")]);
    let family = family.expect("valid names");
    for number in 0..SERIES {
        let customer = format!("customers/{number}/and/what/makes/a/label/of/some/length");
        family.with_ref([&customer], |counter: &Counter| {
            counter.inc_by(number as u64)
        });
    }
    let app = Router::new()
        .route("/", get(async || "hello"))
        .layer(MetricsLayer::new().registry(&registry))
        .nest("/metrics", MetricsRouter::new().registry(&registry).build());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Times the calls of one phase.
async fn phase(address: SocketAddr) -> Vec<Duration> {
    let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(call(address))).collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await.expect("no panic"));
    }
    times
}

async fn call(address: SocketAddr) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let mut often = interval(CALL);
    often.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut times, mut answer, begun) = (Vec::new(), [0; 1_024], Instant::now());
    while begun.elapsed() < PHASE {
        often.tick().await;
        let call = Instant::now();
        let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let length = stream.read(&mut answer).await.expect("an answer");
        assert!(answer[..length].ends_with(b"hello"));
        times.push(call.elapsed());
    }
    times
}

/// Scrapes on a separate connection while `on` is true.
async fn scrape(address: SocketAddr, after: Duration, on: Arc<AtomicBool>, read: Arc<AtomicU64>) {
    tokio::time::sleep(after).await;
    let mut often = interval(EVERY);
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut bytes = vec![0; 256 * 1_024];
    loop {
        often.tick().await;
        if !on.load(Ordering::Relaxed) {
            continue;
        }
        let request = b"GET /metrics HTTP/1.1\r\nhost: here\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        loop {
            let length = stream.read(&mut bytes).await.expect("an answer");
            read.fetch_add(length as u64, Ordering::Relaxed);
            // An error response has a length. A scrape ends with its last chunk.
            let end = bytes[..length].ends_with(b"0\r\n\r\n") || bytes.starts_with(b"HTTP/1.1 503");
            if end || length == 0 {
                break;
            }
        }
    }
}
