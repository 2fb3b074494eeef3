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

const FIRST: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(40);
const WRITE: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);
const BODY: usize = 10_000;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

/// A connection that is served, over a pipe that holds less than an answer.
struct Scene {
    client: DuplexStream,
    served: JoinHandle<()>,
    stop: watch::Sender<()>,
    start: Instant,
}

impl Scene {
    fn new() -> Self {
        Self::with(ListenerLimits::default())
    }

    fn with(limits: ListenerLimits) -> Self {
        let (client, stream) = duplex(1_000);
        let (stop, stopped) = watch::channel(());
        let router = Router::new()
            .route("/", get(async || "x".repeat(BODY)))
            .route("/never", get(pending::<()>));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let slot = ConnectionSlots::new(limits).try_acquire(peer.ip()).unwrap();
        let served = serve_connection(stream, |_| (), slot, peer, router, limits, stopped);
        Self {
            client,
            served: tokio::spawn(served),
            stop,
            start: Instant::now(),
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).await.unwrap();
    }

    /// Reads one whole answer.
    async fn read(&mut self) {
        let mut answer = Vec::new();
        while !answer.ends_with(&[b'x'; BODY]) {
            let read = self.client.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "it ended after {} bytes", answer.len());
        }
    }

    /// Waits until the connection is over, and checks how long it has lasted.
    async fn check_ends_after(self, expected: Duration) {
        let ended = timeout(10 * IDLE, self.served).await;
        ended.expect("it does not end").unwrap();
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
async fn a_first_head_that_does_not_come_whole_within_ten_seconds_ends_the_connection() {
    for head in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: here\r\n"] {
        let mut scene = Scene::new();
        scene.send(head).await;
        scene.check_ends_after(FIRST).await;
    }

    // Nor for one that comes a little at a time.
    let Scene {
        mut client,
        served,
        stop,
        start,
    } = Scene::new();
    let drip = async {
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        while client.write_all(b"x: y\r\n").await.is_ok() {
            sleep(Duration::from_secs(3)).await;
        }
    };
    tokio::select! {
        ended = served => ended.unwrap(),
        () = drip => {}
    }
    check_elapsed(start, FIRST);
    drop(stop);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_for_forty_seconds_between_requests() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.send(REQUEST).await;
        scene.read().await;
        sleep(Duration::from_secs(29)).await;
    }
    // Half a head is no request.
    scene.send(b"GET / HTTP/1.1\r\n").await;
    let last = Duration::from_secs(2 * 29);
    scene.check_ends_after(last + IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_cut_and_a_slow_one_is_not() {
    let mut scene = Scene::new();
    scene.send(REQUEST).await;
    scene.check_ends_after(WRITE).await;

    let mut scene = Scene::with(ListenerLimits {
        deadline: 20 * WRITE,
        ..ListenerLimits::default()
    });
    scene.send(REQUEST).await;
    let mut read = 0;
    while read < BODY {
        sleep(Duration::from_secs(29)).await;
        let taken = scene.client.read(&mut [0; 1_000]).await.unwrap();
        assert!(taken > 0, "{read}");
        read += taken;
    }
    assert!(scene.start.elapsed() > 9 * WRITE / 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_at_its_deadline_however_it_is_read_and_if_it_never_comes() {
    let second = Duration::from_secs(1);
    let deadline = ListenerLimits::default().deadline + second;
    let mut scene = Scene::new();
    scene.send(REQUEST).await;
    let drip = async {
        // Always in time for the write timeout.
        while scene.client.read(&mut [0; 100]).await.unwrap() > 0 {
            sleep(9 * second).await;
        }
    };
    tokio::select! {
        ended = &mut scene.served => ended.unwrap(),
        () = drip => {}
    }
    check_elapsed(scene.start, deadline);

    let mut scene = Scene::new();
    scene.send(b"GET /never HTTP/1.1\r\n\r\n").await;
    scene.check_ends_after(deadline).await;
    let mut scene = Scene::new();
    let timeout = "x-prometheus-scrape-timeout-seconds: 3";
    let head = format!("GET /never HTTP/1.1\r\n{timeout}\r\n\r\n");
    scene.send(head.as_bytes()).await;
    scene.check_ends_after(4 * second).await;
}

#[tokio::test(start_paused = true)]
async fn when_it_stops_what_rests_ends_at_once_and_what_is_under_way_has_its_time() {
    // One that never asked, and one that was answered.
    let mut scene = Scene::new();
    tokio::task::yield_now().await;
    scene.stop = watch::channel(()).0;
    scene.check_ends_after(Duration::ZERO).await;
    let mut scene = Scene::new();
    scene.send(REQUEST).await;
    scene.read().await;
    scene.stop = watch::channel(()).0;
    scene.check_ends_after(Duration::ZERO).await;

    // An answer that is taken in time.
    let mut scene = Scene::new();
    scene.send(REQUEST).await;
    scene.client.read_exact(&mut [0; 500]).await.unwrap();
    scene.stop = watch::channel(()).0;
    sleep(Duration::from_secs(9)).await;
    let mut rest = Vec::new();
    scene.client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"x") && rest.len() + 500 > BODY);
    scene.check_ends_after(Duration::from_secs(9)).await;

    // Those that are not: half a head, an answer that nobody takes, and one that does
    // not come.
    for sent in [&REQUEST[..20], REQUEST, b"GET /never HTTP/1.1\r\n\r\n"] {
        let mut scene = Scene::new();
        scene.send(sent).await;
        sleep(Duration::from_secs(1)).await;
        scene.stop = watch::channel(()).0;
        scene.check_ends_after(Duration::from_secs(1) + GRACE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_fails_is_left_alone_for_a_while_each_time() {
    let start = Instant::now();
    let mut calls = 0;
    let poll = |_: &mut Context<'_>| {
        calls += 1;
        Poll::Ready(match calls {
            // What Linux says when a process has too many open files.
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
