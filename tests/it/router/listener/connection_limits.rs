//! Connections: limits for each address and in total, and clients that are slow or silent.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ALL, REQUEST, SCRAPE, THEM, US, ask, connect, metrics, read, scrape, start};
use crate::support::read::sum;
use crate::support::warnings::warnings;

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
    assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 0.0);
    for client in &mut stalled {
        client.read_exact(&mut vec![0; 100_000]).await.unwrap();
    }
    drop(stalled);
    serving.shutdown().await;
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
