//! Scrapes through the listener: shares of an address, and deadlines.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{ALL, REQUEST, THEM, US, connect, metrics, read, scrape, send_request, start};
use crate::support::read::sum;
use crate::support::scripted_collector::{BlockingCollector, OpenOnDrop};
use crate::support::wait::until;

/// Waits until the listener has reset a connection that is not read.
async fn check_reset(client: &TcpStream) {
    until(|| client.take_error().unwrap().is_some()).await;
}

#[tokio::test]
async fn stalled_readers_keep_their_permits_until_another_address_scrapes() {
    let (settings, registry) = metrics(8);
    let serving = start(settings).await;
    let mut stalled = Vec::new();
    // One address cannot have all permits, so two are needed.
    for (from, count) in [(THEM, 6), (Ipv4Addr::new(127, 0, 0, 3), 2)] {
        for _ in 0..count {
            let mut client = connect(&serving, from, ALL).await;
            client.read_exact(&mut [0; 1]).await.unwrap();
            stalled.push(client);
        }
    }
    let refused = send_request(&serving, THEM, REQUEST).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    for _ in 0..20 {
        scrape(&serving, US).await;
    }
    // One was cut off: the oldest whose chunk was not being made.
    assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 1.0);
    let mut served = 0;
    for client in &mut stalled {
        let read = client.read_exact(&mut vec![0; 100_000]).await;
        served += u32::from(read.is_ok());
    }
    assert!(served >= 7, "{served}");
    drop(stalled);
    serving.shutdown().await;
}

/// Scrapes that are making a chunk cannot be cut off, so only the limit helps.
#[tokio::test]
async fn a_busy_address_leaves_permits_for_others() {
    let (settings, registry) = metrics(0);
    let gate = BlockingCollector::default();
    registry.collector(gate.clone()).unwrap();
    let _opened = OpenOnDrop(gate.clone());
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
        let refused = send_request(&serving, THEM, &get(path)).await;
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
    assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 0.0);
}

#[tokio::test]
async fn a_stalled_reader_is_cut_off_at_the_deadline_and_counted() {
    let (settings, registry) = metrics(8);
    for (deadline, header) in [
        (1, ""),
        (3_600, "x-prometheus-scrape-timeout-seconds: 0.1\r\n"),
    ] {
        let settings = settings
            .clone()
            .scrape_timeout(Duration::from_secs(deadline));
        let serving = start(settings).await;
        let before = sum(&registry, "tachometer_scrapes_aborted_total", &[]);
        let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{header}\r\n");
        let stalled = connect(&serving, THEM, &request).await;
        check_reset(&stalled).await;
        let cut = sum(&registry, "tachometer_scrapes_aborted_total", &[]) - before;
        assert_eq!(cut, 1.0);
        serving.shutdown().await;
    }
}
