//! Timeouts of connections, and errors of the listener.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::router::serve::accept_loop::next_connection;
use crate::router::serve::connection::serve_connection;
use crate::router::serve::connection_slots::ConnectionSlots;
use crate::router::serve::limits::ListenerLimits;

const FIRST_REQUEST: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(40);
const WRITE: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);
const BODY: usize = 10_000;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

/// A connection over a pipe that is smaller than a response.
struct Fixture {
    client: DuplexStream,
    server: JoinHandle<()>,
    stop: watch::Sender<()>,
    start: Instant,
}

impl Fixture {
    fn new() -> Self {
        Self::with_limits(ListenerLimits::default())
    }

    fn with_limits(limits: ListenerLimits) -> Self {
        let (client, stream) = duplex(1_000);
        let (stop, stopped) = watch::channel(());
        let router = Router::new()
            .route("/", get(async || "x".repeat(BODY)))
            .route("/never", get(pending::<()>));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let slot = ConnectionSlots::new(limits).try_acquire(peer.ip()).unwrap();
        let connection = serve_connection(stream, |_| (), slot, peer, router, limits, stopped);
        Self {
            client,
            server: tokio::spawn(connection),
            stop,
            start: Instant::now(),
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).await.unwrap();
    }

    /// Reads one complete response.
    async fn read(&mut self) {
        let mut response = Vec::new();
        while !response.ends_with(&[b'x'; BODY]) {
            let read = self.client.read_buf(&mut response).await.unwrap();
            assert!(
                read > 0,
                "the response ended after {} bytes",
                response.len()
            );
        }
    }

    /// Waits until the connection ends, and checks how long it lasted.
    async fn check_ends_after(self, expected: Duration) {
        let ended = timeout(10 * IDLE, self.server).await;
        ended.expect("the connection does not end").unwrap();
        check_elapsed(self.start, expected);
        drop(self.client);
    }
}

#[track_caller]
fn check_elapsed(start: Instant, expected: Duration) {
    // Timers are rounded up to milliseconds.
    let late = start.elapsed().checked_sub(expected);
    let is_near = late.is_some_and(|late| late < Duration::from_millis(20));
    assert!(is_near, "{:?} for {expected:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_complete_head_is_closed_after_ten_seconds() {
    for head in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: here\r\n"] {
        let mut fixture = Fixture::new();
        fixture.send(head).await;
        fixture.check_ends_after(FIRST_REQUEST).await;
    }

    // Sending a little at a time does not extend the time.
    let Fixture {
        mut client,
        server,
        stop,
        start,
    } = Fixture::new();
    let drip = async {
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        while client.write_all(b"x: y\r\n").await.is_ok() {
            sleep(Duration::from_secs(3)).await;
        }
    };
    tokio::select! {
        ended = server => ended.unwrap(),
        () = drip => {}
    }
    check_elapsed(start, FIRST_REQUEST);
    drop(stop);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_for_forty_seconds_between_requests() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        fixture.send(REQUEST).await;
        fixture.read().await;
        sleep(Duration::from_secs(29)).await;
    }
    // A partial head does not extend the time.
    fixture.send(b"GET / HTTP/1.1\r\n").await;
    let last = Duration::from_secs(2 * 29);
    fixture.check_ends_after(last + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_disconnected_and_a_slow_one_is_not() {
    let mut fixture = Fixture::new();
    fixture.send(REQUEST).await;
    fixture.check_ends_after(WRITE).await;

    let mut fixture = Fixture::with_limits(ListenerLimits {
        response_deadline: 20 * WRITE,
        ..ListenerLimits::default()
    });
    fixture.send(REQUEST).await;
    let mut read = 0;
    while read < BODY {
        sleep(Duration::from_secs(29)).await;
        let count = fixture.client.read(&mut [0; 1_000]).await.unwrap();
        assert!(count > 0, "{read}");
        read += count;
    }
    assert!(fixture.start.elapsed() > 9 * WRITE / 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_ends_at_its_deadline_however_it_is_read_and_if_it_is_never_sent() {
    let second = Duration::from_secs(1);
    let deadline = ListenerLimits::default().response_deadline + second;
    let mut fixture = Fixture::new();
    fixture.send(REQUEST).await;
    let drip = async {
        // Often enough for the write timeout.
        while fixture.client.read(&mut [0; 100]).await.unwrap() > 0 {
            sleep(9 * second).await;
        }
    };
    tokio::select! {
        ended = &mut fixture.server => ended.unwrap(),
        () = drip => {}
    }
    check_elapsed(fixture.start, deadline);

    let mut fixture = Fixture::new();
    fixture.send(b"GET /never HTTP/1.1\r\n\r\n").await;
    fixture.check_ends_after(deadline).await;
    let mut fixture = Fixture::new();
    let timeout = "x-prometheus-scrape-timeout-seconds: 3";
    let head = format!("GET /never HTTP/1.1\r\n{timeout}\r\n\r\n");
    fixture.send(head.as_bytes()).await;
    fixture.check_ends_after(4 * second).await;
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_idle_connections_end_at_once_and_others_have_a_grace_period() {
    // A connection without a request, and one whose response is complete.
    let mut fixture = Fixture::new();
    tokio::task::yield_now().await;
    fixture.stop = watch::channel(()).0;
    fixture.check_ends_after(Duration::ZERO).await;
    let mut fixture = Fixture::new();
    fixture.send(REQUEST).await;
    fixture.read().await;
    fixture.stop = watch::channel(()).0;
    fixture.check_ends_after(Duration::ZERO).await;

    // A response that is read in time.
    let mut fixture = Fixture::new();
    fixture.send(REQUEST).await;
    fixture.client.read_exact(&mut [0; 500]).await.unwrap();
    fixture.stop = watch::channel(()).0;
    sleep(Duration::from_secs(9)).await;
    let mut remaining = Vec::new();
    fixture.client.read_to_end(&mut remaining).await.unwrap();
    assert!(remaining.ends_with(b"x") && remaining.len() + 500 > BODY);
    fixture.check_ends_after(Duration::from_secs(9)).await;

    // A partial head, a response that is not read, and one that is never sent.
    for sent in [&REQUEST[..20], REQUEST, b"GET /never HTTP/1.1\r\n\r\n"] {
        let mut fixture = Fixture::new();
        fixture.send(sent).await;
        sleep(Duration::from_secs(1)).await;
        fixture.stop = watch::channel(()).0;
        fixture
            .check_ends_after(Duration::from_secs(1) + GRACE)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn accepting_pauses_after_each_failure() {
    let start = Instant::now();
    let mut calls = 0;
    let poll = |_: &mut Context<'_>| {
        calls += 1;
        Poll::Ready(match calls {
            // EMFILE: too many open files.
            1..=5 => Err(io::Error::from_raw_os_error(24)),
            6..=9 => Err(ErrorKind::ConnectionAborted.into()),
            _ => Ok("a connection"),
        })
    };
    assert_eq!(
        next_connection(poll, ListenerLimits::default()).await,
        "a connection"
    );
    assert_eq!(calls, 10);
    check_elapsed(start, Duration::from_secs(5));
}
