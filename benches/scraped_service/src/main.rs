//! The response times of a service that a hundred scrapers read, over loopback.
//!
//! `benches/scraped_service/race BASE` compares this work tree with another commit. The service, its
//! callers and the scrapers share the machine, and each has its own threads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tachometer::{Counter, Label, MetricsLayer, MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval, sleep};

const SERIES: usize = 2_000;
const SCRAPERS: u32 = 100;
/// The interval of each scraper. Prometheus has 15 seconds or more. It is no multiple of that of the
/// callers, so that scrapes and calls coincide equally often in each run.
const EVERY: Duration = Duration::from_millis(1_009);
/// The number of connections that call the service, and the interval of each.
const CALLERS: u32 = 8;
const CALL: Duration = Duration::from_millis(4);
/// The time for the first scrapes, and the time that is measured.
const WARM_UP: Duration = Duration::from_millis(500);
const PHASE: Duration = Duration::from_secs(3);

const CALL_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
const SCRAPE_REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: here\r\naccept: \
    application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n\
    accept-encoding: gzip\r\n\r\n";
/// The end of a chunked response.
const END: &[u8] = b"\r\n0\r\n\r\n";

/// Prints the median and the p99 in microseconds, the number of calls and that of scrapes.
fn main() {
    let service = runtime(2);
    let address = service.block_on(serve());
    let outside = runtime(1);
    let scrapes = Arc::new(AtomicUsize::new(0));
    for number in 0..SCRAPERS {
        let after = EVERY * number / SCRAPERS;
        outside.spawn(scrape(address, after, Arc::clone(&scrapes)));
    }
    let callers = runtime(1);
    let mut times = callers.block_on(async {
        sleep(WARM_UP).await;
        phase(address).await
    });
    times.sort_unstable();
    let micros = |part: usize| times[times.len() * part / 100].as_micros();
    let scrapes = scrapes.load(Ordering::Relaxed);
    println!("{} {} {} {scrapes}", micros(50), micros(99), times.len());
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

/// Times the calls of all callers.
async fn phase(address: SocketAddr) -> Vec<Duration> {
    let callers = (0..CALLERS).map(|number| tokio::spawn(call(address, CALL * number / CALLERS)));
    let callers: Vec<_> = callers.collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await.expect("no panic"));
    }
    times
}

async fn call(address: SocketAddr, after: Duration) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    sleep(after).await;
    let mut often = interval(CALL);
    often.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut times, mut answer, begun) = (Vec::new(), [0; 1_024], Instant::now());
    while begun.elapsed() < PHASE {
        often.tick().await;
        let call = Instant::now();
        stream.write_all(CALL_REQUEST).await.expect("sent");
        let length = stream.read(&mut answer).await.expect("an answer");
        assert!(answer[..length].ends_with(b"hello"));
        times.push(call.elapsed());
    }
    times
}

/// Scrapes again and again on one connection.
async fn scrape(address: SocketAddr, after: Duration, scrapes: Arc<AtomicUsize>) {
    sleep(after).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut often, mut answer) = (interval(EVERY), Vec::new());
    loop {
        often.tick().await;
        stream.write_all(SCRAPE_REQUEST).await.expect("sent");
        answer.clear();
        // A scrape beyond the limit gets an error, which has a length instead of an end.
        while !answer.ends_with(END) && !answer.starts_with(b"HTTP/1.1 503") {
            let length = stream.read_buf(&mut answer).await.expect("an answer");
            assert!(length > 0, "the service has closed the connection");
        }
        if answer.ends_with(END) {
            scrapes.fetch_add(1, Ordering::Relaxed);
        }
    }
}
