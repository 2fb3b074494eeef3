//! The paths that the listener answers, and the hosts under which it answers.

use std::net::{Ipv4Addr, SocketAddr};

use tachometer::router::MetricsServer;

use super::{US, metrics, send_request, start};
use crate::support::read::sum;

async fn check_status(serving: &MetricsServer, request: &str, expected: u16) -> String {
    let request = request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let answer = send_request(serving, US, &request).await;
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
async fn on_loopback_other_hosts_get_421_before_any_other_check() {
    let settings = metrics(0).0.bearer_token("a token");
    let serving = settings.serve_on("127.0.0.1:0").await.unwrap();
    for path in [
        "/metrics",
        "/metrics/",
        "/metrics/json",
        "/",
        "/unknown",
        "/healthz",
        "/readyz",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n");
        let answer = check_status(&serving, &request, 421).await;
        assert!(answer.contains("MetricsRouter::allowed_hosts"), "{answer}");
    }
    serving.shutdown().await;
}

#[tokio::test]
async fn hosts_are_checked_on_loopback_and_if_they_are_configured() {
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
            // The host of the target is checked, not the header.
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
async fn health_checks_need_no_credentials_and_show_nothing() {
    let (settings, registry) = metrics(0);
    let serving = start(settings.bearer_token("a token")).await;
    for path in ["/healthz", "/readyz"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let answer = check_status(&serving, &request, 200).await;
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
        for method in ["HEAD", "GET"] {
            check_status(&serving, &request.replace("GET", method), 200).await;
        }
        check_status(&serving, &request.replace("GET", "POST"), 405).await;
        let below = format!("{path}/x");
        check_status(&serving, &request.replace(path, &below), 401).await;
    }
    serving.shutdown().await;
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
}

#[tokio::test]
async fn a_trailing_slash_is_ignored_and_the_index_page_links_to_the_others() {
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
        let answer = send_request(&serving, US, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    serving.shutdown().await;
    let alone = metrics(0).0.bearer_token("a token");
    let serving = start(alone).await;
    check_status(&serving, &get("/"), 401).await;
    check_status(&serving, &get("/metrics/"), 401).await;
    serving.shutdown().await;
}
