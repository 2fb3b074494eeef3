//! The listener against clients that mean harm: what they hold, and under which names it
//! answers them.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tachometer::router::MetricsServer;
use tachometer::{MetricsRouter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::read::sum;
use crate::support::scripted_collector::{Gate, Opened};
use crate::support::wait::until;
use crate::support::warnings::warnings;

const REQUEST: &str =
    "GET /metrics?name[]=jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const ALL: &str = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// So long Prometheus waits for a scrape if nothing else is set.
const SCRAPE: Duration = Duration::from_secs(10);
const US: Ipv4Addr = Ipv4Addr::LOCALHOST;
const THEM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Metrics of so many megabytes, in no time.
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

/// Connects from an address of this machine, with a buffer that holds little, and sends
/// something.
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

/// Returns all that comes until the listener hangs up, in whatever way.
async fn read(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(SCRAPE, client.read_to_end(&mut answer)).await;
    let _ = read.expect("it takes longer than a scraper waits");
    String::from_utf8(answer).unwrap()
}

async fn ask(serving: &MetricsServer, from: Ipv4Addr, request: &str) -> String {
    read(&mut connect(serving, from, request).await).await
}

/// Asks as a scraper does, and has to get the metrics while the scraper waits.
async fn scrape(serving: &MetricsServer, from: Ipv4Addr) {
    let answer = ask(serving, from, REQUEST).await;
    let is_whole = answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n0\r\n\r\n");
    assert!(is_whole && answer.contains("jobs_total 1"), "{answer}");
}

/// Waits until the listener has cut a connection that nobody reads.
async fn check_reset(client: &TcpStream) {
    until(|| client.take_error().unwrap().is_some()).await;
}

#[tokio::test]
async fn clients_from_other_networks_hold_no_slot_and_close_none() {
    let settings = metrics(0).0.allowed_networks(["127.0.0.1"]).unwrap();
    let serving = start(settings.max_connections(1)).await;
    for send in ["", "GET /met", REQUEST] {
        // The only slot, which an allowed client would take from it.
        let mut kept = connect(&serving, US, ALL).await;
        let mut answer = String::new();
        while !answer.ends_with("\r\n0\r\n\r\n") {
            let mut part = [0; 1_024];
            let read = kept.read(&mut part).await.unwrap();
            answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
        }
        let mut held = Vec::new();
        for _ in 0..300 {
            held.push(connect(&serving, THEM, send).await);
        }
        kept.write_all(REQUEST.as_bytes()).await.unwrap();
        let answer = read(&mut kept).await;
        assert!(answer.contains("jobs_total 1"), "{answer}");
        scrape(&serving, US).await;
    }
    serving.shutdown().await;
}

#[test]
fn a_client_from_another_network_learns_why_and_one_warning_says_so() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let run = async {
        let settings = metrics(0).0.allowed_networks(["127.0.0.1"]).unwrap();
        let serving = start(settings).await;
        for path in ["/metrics", "/healthz", "/", "/unknown"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let answer = ask(&serving, THEM, &request).await;
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
            for words in [
                "127.0.0.2 is in none of the networks",
                "no-store",
                "nosniff",
            ] {
                assert!(answer.contains(words), "{answer}");
            }
        }
        serving.shutdown().await;
    };
    let told = warnings(|| (), || runtime.block_on(run));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("MetricsRouter::allowed_networks"),
        "{told:?}"
    );
}

#[tokio::test]
async fn silent_clients_keep_no_scraper_out_wherever_they_come_from() {
    let serving = start(metrics(0).0).await;
    // A kept-alive scraper, which the others do not close: they have more connections.
    let mut kept = connect(&serving, US, ALL).await;
    let mut begun = [0; 12];
    kept.read_exact(&mut begun).await.unwrap();
    for send in [
        "",
        "GET /met",
        "GET /metrics HTTP/1.1\r\nhost: localhost\r\n",
    ] {
        let mut held = Vec::new();
        // From one address, and from several.
        for number in 0..600 {
            let from = match number {
                ..300 => THEM,
                _ => Ipv4Addr::new(127, 0, 1, (number % 20).try_into().unwrap()),
            };
            held.push(connect(&serving, from, send).await);
            if number % 100 == 99 {
                scrape(&serving, US).await;
                scrape(&serving, THEM).await;
            }
        }
    }
    kept.write_all(REQUEST.as_bytes()).await.unwrap();
    let rest = read(&mut kept).await;
    assert!(
        rest.ends_with("\r\n0\r\n\r\n") && rest.contains("jobs_total 1"),
        "{rest}"
    );
    // From more addresses than there are connections, with one each. They may close the
    // scraper's connection while it is idle, and never keep it from connecting again.
    let mut held = Vec::new();
    for number in 0..300_u16 {
        let [high, low] = number.to_be_bytes();
        let from = Ipv4Addr::new(127, 0, 3 + high, low);
        held.push(connect(&serving, from, "").await);
        if number % 50 == 49 {
            scrape(&serving, US).await;
        }
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn half_heads_that_come_byte_by_byte_keep_no_scraper_out() {
    let serving = start(metrics(0).0).await;
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(connect(&serving, US, "").await);
    }
    for byte in ALL[..12].chars() {
        for client in &mut held {
            // Most are closed by then.
            let _ = client.write_all(&[u8::try_from(byte).unwrap()]).await;
        }
        scrape(&serving, US).await;
    }
    drop(held);
    serving.shutdown().await;
}

/// All of them have sent their request before the first is accepted.
#[tokio::test]
async fn requests_that_come_at_once_are_all_answered_though_they_exceed_the_limits() {
    let serving = start(metrics(0).0.max_connections(2)).await;
    let to = SocketAddr::from((US, serving.local_addr().port()));
    // It is answered without waiting for anything.
    let request = REQUEST.replace("/metrics", "/healthz");
    let connect = |_| {
        let mut client = std::net::TcpStream::connect(to).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client.set_nonblocking(true).unwrap();
        TcpStream::from_std(client).unwrap()
    };
    // No more than the system keeps for a listener.
    let clients: Vec<_> = (0..100).map(connect).collect();
    for mut client in clients {
        let answer = read(&mut client).await;
        assert!(answer.ends_with("ok\n"), "{answer:?}");
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn readers_that_stall_have_the_slots_of_their_address_and_no_others() {
    let (settings, registry) = metrics(8);
    let serving = start(settings.max_concurrent_scrapes(100)).await;
    let mut stalled = Vec::new();
    for _ in 0..16 {
        let mut client = connect(&serving, THEM, ALL).await;
        client.read_exact(&mut [0; 1]).await.unwrap();
        stalled.push(client);
    }
    for _ in 0..20 {
        let refused = ask(&serving, THEM, REQUEST).await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("connections_per_address"), "{refused}");
        scrape(&serving, US).await;
    }
    // None of them was closed for another.
    assert_eq!(sum(&registry, "tachometer_scrapes_cut_total", &[]), 0.0);
    for client in &mut stalled {
        client.read_exact(&mut vec![0; 100_000]).await.unwrap();
    }
    drop(stalled);
    serving.shutdown().await;
}

#[tokio::test]
async fn readers_that_stall_have_the_places_of_scrapes_until_another_address_asks() {
    let (settings, registry) = metrics(8);
    let serving = start(settings).await;
    let mut stalled = Vec::new();
    // No address may have all of them, so that it takes two.
    for (from, count) in [(THEM, 6), (Ipv4Addr::new(127, 0, 0, 3), 2)] {
        for _ in 0..count {
            let mut client = connect(&serving, from, ALL).await;
            client.read_exact(&mut [0; 1]).await.unwrap();
            stalled.push(client);
        }
    }
    let refused = ask(&serving, THEM, REQUEST).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    for _ in 0..20 {
        scrape(&serving, US).await;
    }
    // One made room, the oldest for which nothing was being made, and that was enough.
    assert_eq!(sum(&registry, "tachometer_scrapes_cut_total", &[]), 1.0);
    let mut served = 0;
    for client in &mut stalled {
        let read = client.read_exact(&mut vec![0; 100_000]).await;
        served += u32::from(read.is_ok());
    }
    assert!(served >= 7, "{served}");
    drop(stalled);
    serving.shutdown().await;
}

/// Scrapes that are making a page cannot be cut off, so only the limit helps.
#[tokio::test]
async fn an_address_that_keeps_its_scrapes_busy_leaves_places_for_others() {
    let (settings, registry) = metrics(0);
    let gate = Gate::default();
    registry.collector(gate.clone()).unwrap();
    let _opened = Opened(gate.clone());
    let serving = start(settings).await;
    let get = |path| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let paths = [
        "/metrics",
        "/metrics/json",
        "/metrics/summary",
        "/metrics/view",
    ];
    let mut busy = Vec::new();
    for (path, calls) in paths.iter().cycle().take(6).zip(1..) {
        // The second view would wait for the first.
        let path = if calls > 4 { "/metrics/summary" } else { path };
        busy.push(connect(&serving, THEM, &get(path)).await);
        until(|| gate.calls() == calls).await;
    }
    for path in &paths[..3] {
        let refused = ask(&serving, THEM, &get(path)).await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{path}: {refused}");
    }
    for _ in 0..20 {
        scrape(&serving, US).await;
    }
    gate.open();
    for client in &mut busy {
        let answer = read(client).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    serving.shutdown().await;
    assert_eq!(sum(&registry, "tachometer_scrapes_refused_total", &[]), 3.0);
    assert_eq!(sum(&registry, "tachometer_scrapes_cut_total", &[]), 0.0);
}

#[test]
fn when_all_connections_answer_a_new_one_is_refused_at_once() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let run = async {
        let settings = metrics(8)
            .0
            .max_connections(2)
            .max_connections_per_address(1);
        let serving = start(settings).await;
        let mut stalled = Vec::new();
        for from in [THEM, Ipv4Addr::new(127, 0, 0, 3)] {
            let mut client = connect(&serving, from, ALL).await;
            client.read_exact(&mut [0; 1]).await.unwrap();
            stalled.push(client);
        }
        for _ in 0..3 {
            let refused = ask(&serving, US, REQUEST).await;
            assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
            assert!(
                refused.contains("MetricsRouter::max_connections"),
                "{refused}"
            );
        }
        // One that has gone makes room.
        drop(stalled.pop());
        let free = async { while !ask(&serving, US, REQUEST).await.contains("jobs_total 1") {} };
        timeout(SCRAPE, free).await.unwrap();
        drop(stalled);
        serving.shutdown().await;
    };
    let told = warnings(|| (), || runtime.block_on(run));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("MetricsRouter::max_connections"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_reader_that_stalls_is_cut_at_the_deadline_and_counted() {
    let (settings, registry) = metrics(8);
    for (deadline, header) in [
        (1, ""),
        (3_600, "x-prometheus-scrape-timeout-seconds: 0.1\r\n"),
    ] {
        let settings = settings
            .clone()
            .scrape_timeout(Duration::from_secs(deadline));
        let serving = start(settings).await;
        let before = sum(&registry, "tachometer_scrapes_cut_total", &[]);
        let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{header}\r\n");
        let stalled = connect(&serving, THEM, &request).await;
        check_reset(&stalled).await;
        let cut = sum(&registry, "tachometer_scrapes_cut_total", &[]) - before;
        assert_eq!(cut, 1.0);
        serving.shutdown().await;
    }
}

async fn check_status(serving: &MetricsServer, request: &str, expected: u16) -> String {
    let request = request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let answer = ask(serving, US, &request).await;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    assert_eq!(status, expected.to_string(), "{request:?}: {answer}");
    assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
    assert!(
        answer.contains("x-content-type-options: nosniff\r\n"),
        "{answer}"
    );
    answer
}

#[tokio::test]
async fn on_loopback_other_hosts_are_misdirected_before_anything_else_is_asked() {
    let settings = metrics(0).0.bearer_token("a token");
    let serving = settings.serve_on("127.0.0.1:0").await.unwrap();
    for path in [
        "/metrics",
        "/metrics/",
        "/metrics/json",
        "/",
        "/unknown",
        "/healthz",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n");
        let answer = check_status(&serving, &request, 421).await;
        assert!(answer.contains("MetricsRouter::allowed_hosts"), "{answer}");
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn hosts_are_checked_on_loopback_and_where_they_are_set() {
    let local: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let any: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
    let named = metrics(0).0.allowed_hosts(["metrics.example"]).unwrap();
    for (settings, address, evil, name) in [
        (metrics(0).0, local, 421, 421),
        (named.clone(), local, 421, 200),
        (named, any, 421, 200),
        (metrics(0).0, any, 200, 200),
    ] {
        let serving = settings.serve_on(address).await.unwrap();
        for (head, expected) in [
            ("GET /metrics HTTP/1.1\r\nHost: localhost", 200),
            ("GET /metrics HTTP/1.1\r\nHOST: LOCALHOST.:80", 200),
            ("GET /metrics HTTP/1.1\r\nHost: [::1]:9464", 200),
            ("GET /metrics HTTP/1.1\r\nHost: 10.0.0.7", 200),
            ("GET /metrics HTTP/1.0\r\nAccept: */*", 200),
            ("GET /metrics HTTP/1.1\r\nHost: Metrics.Example:1", name),
            ("GET /metrics HTTP/1.1\r\nHost: evil.example", evil),
            ("GET /metrics HTTP/1.0\r\nHost: evil.example", evil),
            // The target's host counts, not the header's.
            (
                "GET http://localhost/metrics HTTP/1.1\r\nHost: evil.example",
                200,
            ),
            (
                "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost",
                evil,
            ),
            (
                "GET http://evil.example/metrics HTTP/1.1\r\nAccept: */*",
                evil,
            ),
        ] {
            check_status(&serving, &format!("{head}\r\n\r\n"), expected).await;
        }
        let several = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n";
        check_status(&serving, several, if evil == 421 { 400 } else { 200 }).await;
        serving.shutdown().await;
    }
}

#[tokio::test]
async fn healthz_needs_no_credentials_and_shows_nothing() {
    let (settings, registry) = metrics(0);
    let serving = start(settings.bearer_token("a token")).await;
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = check_status(&serving, request, 200).await;
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    for method in ["HEAD", "GET"] {
        check_status(&serving, &request.replace("GET", method), 200).await;
    }
    check_status(&serving, &request.replace("GET", "POST"), 405).await;
    check_status(&serving, &request.replace("healthz", "healthz/x"), 401).await;
    serving.shutdown().await;
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
}

#[tokio::test]
async fn a_slash_more_makes_no_difference_and_the_first_page_leads_to_the_others() {
    let serving = start(metrics(0).0).await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    for path in ["/metrics", "/metrics/json", "/metrics/summary"] {
        let plain = check_status(&serving, &get(path), 200).await;
        let slash = check_status(&serving, &get(&format!("{path}/")), 200).await;
        let kind = |answer: &str| {
            let mut lines = answer.lines().map(str::to_owned);
            lines.find(|line| line.starts_with("content-type"))
        };
        assert_eq!(kind(&plain), kind(&slash));
        assert!(slash.contains("jobs"), "{slash}");
    }
    let one = check_status(&serving, &get("/metrics/?name[]=jobs"), 200).await;
    assert!(
        one.contains("jobs_total 1") && !one.contains("tachometer"),
        "{one}"
    );
    check_status(&serving, &get("/metrics/").replace("GET", "POST"), 405).await;

    let page = check_status(&serving, &get("/"), 200).await;
    assert!(page.contains("content-type: text/html"), "{page}");
    assert!(
        page.contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
    let links: Vec<_> = page.split("<a href=\"").skip(1).collect();
    assert!(links.len() >= 4, "{page}");
    for link in links {
        let (path, _) = link.split_once('"').unwrap();
        let request = get(&format!("/{path}"));
        let request = request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        let answer = ask(&serving, US, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    serving.shutdown().await;
    let alone = metrics(0).0.bearer_token("a token");
    let serving = start(alone).await;
    check_status(&serving, &get("/"), 401).await;
    check_status(&serving, &get("/metrics/"), 401).await;
    serving.shutdown().await;
}

/// An accept loop that a stopped client holds up would be seen here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_are_answered_while_many_attack_at_once() {
    let (settings, _registry) = metrics(2);
    let serving = Arc::new(start(settings).await);
    let done = Arc::new(AtomicBool::new(false));
    let attack = |number: u8| {
        let (serving, done) = (Arc::clone(&serving), Arc::clone(&done));
        tokio::spawn(async move {
            let mut held = Vec::new();
            let send = [
                "",
                "GET /met",
                "GET /metrics/json HTTP/1.1\r\nhost: x\r\n\r\n",
                "GET /metrics/summary HTTP/1.1\r\nhost: x\r\n\r\n",
                REQUEST,
            ];
            // One of them scrapes, too: together, two could have all places at work.
            let send = if number == 1 { &send[..] } else { &send[..2] };
            while !done.load(Ordering::Relaxed) {
                let from = Ipv4Addr::new(127, 0, 2, number);
                let send = send[fastrand::usize(..send.len())];
                held.push(connect(&serving, from, send).await);
                if held.len() > 100 {
                    drop(held.swap_remove(fastrand::usize(..held.len())));
                }
            }
        })
    };
    let attackers: Vec<_> = [1, 2, 3, 4, 5].map(attack).into();
    for _ in 0..50 {
        scrape(&serving, US).await;
    }
    done.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.await.unwrap();
    }
    Arc::into_inner(serving).unwrap().shutdown().await;
}
