//! The concurrency limit of scrapes, over connections.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use http_body::Body as _;
use http_body_util::BodyExt;
use tachometer::MetricsRouter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

use super::scrape_fixture::{LONG, gated, large, large_into, request, router, status};
use crate::support::loopback::Server;
use crate::support::read::sum;
use crate::support::wait::until;

#[tokio::test]
async fn a_scrape_beyond_the_limit_gets_503_with_retry_after() {
    let registry = large();
    let router = router(
        MetricsRouter::new()
            .registry(&registry)
            .max_concurrent_scrapes(2),
    );
    let open = || router.clone().oneshot(request("/metrics"));
    let (first, mut second) = (open().await.unwrap(), open().await.unwrap());
    for path in ["/metrics", "/metrics/json"] {
        let refused = router.clone().oneshot(request(path)).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
    }
    // One that was never read, one that was half read, and one that has ended.
    drop(first);
    let mut third = open().await.unwrap();
    assert_eq!(
        status(&router, "/metrics").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    second.body_mut().frame().await.unwrap().unwrap();
    drop(second);
    let mut fourth = open().await.unwrap();
    assert_eq!(
        status(&router, "/metrics").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    while let Some(frame) = third.body_mut().frame().await {
        frame.unwrap();
    }
    assert_eq!(status(&router, "/metrics").await, StatusCode::OK);
    // Though the bodies are still there.
    while let Some(frame) = fourth.body_mut().frame().await {
        frame.unwrap();
    }
    assert!(third.body().is_end_stream() || third.body_mut().frame().await.is_none());
    drop((open().await.unwrap(), open().await.unwrap()));
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 2.0);
}

#[tokio::test]
async fn a_client_that_disconnects_frees_its_permit() {
    let (registry, gate, _opened) = gated();
    large_into(&registry);
    let settings = MetricsRouter::new()
        .registry(&registry)
        .max_concurrent_scrapes(1);
    let router = router(settings);
    let server = Server::start(router.clone()).await;
    for (path, reads) in [
        ("/metrics?name[]=gated", false),
        ("/metrics?name[]=large", true),
    ] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        if reads {
            client.read_exact(&mut [0; 1]).await.unwrap();
        } else {
            until(|| gate.calls() == 1).await;
        }
        assert_eq!(
            status(&router, "/metrics").await,
            StatusCode::SERVICE_UNAVAILABLE
        );
        drop(client);
        if !reads {
            // The collector has to end before another may be called.
            gate.open();
        }
        let free = async {
            while status(&router, "/metrics").await != StatusCode::OK {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, free).await.expect("its place is free again");
    }
    server.stop().await;
    // The server may have sent the short one before it saw that its client had gone.
    assert!(sum(&registry, "tachometer_scrapes_total", &[]) <= 1.0);
}
