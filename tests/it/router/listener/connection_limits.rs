//! Connections: limits for each address and in total, and clients that are slow or silent.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ALL, REQUEST, SCRAPE, THEM, US, connect, metrics, read, scrape, send_request, start};
use crate::support::read::sum;
use crate::support::warnings::warnings;

#[tokio::test]
async fn clients_outside_of_the_allowed_networks_use_no_connection_slot() {
    let settings = metrics(0).0.allowed_networks(["127.0.0.1"]).unwrap();
    let serving = start(settings.max_connections(1)).await;
    for send in ["", "GET /met", REQUEST] {
        // The only slot. Another allowed client would get it.
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
fn a_client_outside_of_the_allowed_networks_gets_403_and_one_warning_is_logged() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let run = async {
        let settings = metrics(0).0.allowed_networks(["127.0.0.1"]).unwrap();
        let serving = start(settings).await;
        for path in ["/metrics", "/healthz", "/", "/unknown"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let answer = send_request(&serving, THEM, &request).await;
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
    let messages = warnings(|| (), || runtime.block_on(run));
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("MetricsRouter::allowed_networks"),
        "{messages:?}"
    );
}

#[tokio::test]
async fn silent_clients_from_any_address_keep_no_scraper_out() {
    let serving = start(metrics(0).0).await;
    // A kept-alive scraper. It is not closed, since others have more connections.
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
    let response = read(&mut kept).await;
    assert!(
        response.ends_with("\r\n0\r\n\r\n") && response.contains("jobs_total 1"),
        "{response}"
    );
    // From more addresses than there are slots, with one connection each. They may close the
    // scraper's idle connection, but never keep it from connecting again.
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
async fn request_heads_sent_byte_by_byte_keep_no_scraper_out() {
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
async fn simultaneous_requests_beyond_the_limits_are_all_answered() {
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
    // At most the backlog of the listener.
    let clients: Vec<_> = (0..100).map(connect).collect();
    for mut client in clients {
        let answer = read(&mut client).await;
        assert!(answer.ends_with("ok\n"), "{answer:?}");
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn stalled_readers_use_only_the_slots_of_their_address() {
    let (settings, registry) = metrics(8);
    let serving = start(settings.max_concurrent_scrapes(100)).await;
    let mut stalled = Vec::new();
    for _ in 0..16 {
        let mut client = connect(&serving, THEM, ALL).await;
        client.read_exact(&mut [0; 1]).await.unwrap();
        stalled.push(client);
    }
    for _ in 0..20 {
        let refused = send_request(&serving, THEM, REQUEST).await;
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("connections_per_address"), "{refused}");
        scrape(&serving, US).await;
    }
    // None of them was closed.
    assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 0.0);
    for client in &mut stalled {
        client.read_exact(&mut vec![0; 100_000]).await.unwrap();
    }
    drop(stalled);
    serving.shutdown().await;
}

#[test]
fn a_new_connection_is_refused_at_once_while_all_others_are_busy() {
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
            let refused = send_request(&serving, US, REQUEST).await;
            assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
            assert!(
                refused.contains("MetricsRouter::max_connections"),
                "{refused}"
            );
        }
        // A closed connection frees its slot.
        drop(stalled.pop());
        let free = async {
            while !send_request(&serving, US, REQUEST)
                .await
                .contains("jobs_total 1")
            {}
        };
        timeout(SCRAPE, free).await.unwrap();
        drop(stalled);
        serving.shutdown().await;
    };
    let messages = warnings(|| (), || runtime.block_on(run));
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("MetricsRouter::max_connections"),
        "{messages:?}"
    );
}

/// Detects an accept loop that a stalled client blocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_are_answered_during_an_attack_from_many_clients() {
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
            // Only one of them scrapes: two could use all permits.
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
