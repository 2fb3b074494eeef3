//! Waiting for the last scrape of a router: which scrapes count, and for which calls.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use tachometer::router::{LastScrape, LastScrapeTimeout};
use tachometer::{MetricsRouter, Registry};
use tokio::time::{Instant, advance};
use tower::ServiceExt;

use super::scrape_fixture::{HOUR, large, request, small};

const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

fn start(registry: &Registry) -> (Router, LastScrape) {
    let settings = MetricsRouter::new().registry(registry).scrape_timeout(HOUR);
    let last_scrape = settings.last_scrape();
    (settings.build(), last_scrape)
}

/// Starts the call, if it has not started, and returns its result if it has ended.
fn poll(
    wait: &mut Pin<&mut impl Future<Output = Result<(), LastScrapeTimeout>>>,
) -> Option<Result<(), LastScrapeTimeout>> {
    match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

async fn read(router: &Router, request: Request<Body>) -> String {
    let response = router.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

#[tokio::test]
async fn a_complete_scrape_in_each_prometheus_format_counts() {
    let formats = [
        "",
        "text/plain;version=1.0.0",
        "application/openmetrics-text",
        PROTOBUF,
    ];
    for format in formats {
        for coding in ["identity", "gzip", "zstd"] {
            let (router, last_scrape) = start(&small());
            let mut wait = pin!(last_scrape.wait(HOUR));
            assert_eq!(poll(&mut wait), None);
            let mut request = request("/");
            let headers = request.headers_mut();
            headers.insert(ACCEPT, format.parse().unwrap());
            headers.insert(ACCEPT_ENCODING, coding.parse().unwrap());
            read(&router, request).await;
            assert_eq!(poll(&mut wait), Some(Ok(())), "{format}, {coding}");
        }
    }
    // A registry without metrics.
    let (router, last_scrape) = start(&Registry::new());
    let mut wait = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut wait), None);
    read(&router, request("/")).await;
    assert_eq!(poll(&mut wait), Some(Ok(())));
}

#[tokio::test]
async fn a_request_that_delivers_less_than_all_metrics_to_prometheus_does_not_count() {
    let registry = large();
    let settings = MetricsRouter::new().registry(&registry);
    let last_scrape = settings.last_scrape();
    let router = settings.scrape_timeout(HOUR).bearer_token("token").build();
    let authorized = |path: &str| {
        let mut request = request(path);
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, "Bearer token".parse().unwrap());
        request
    };
    let mut wait = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut wait), None);
    for path in [
        "/json",
        "/summary",
        "/dashboard",
        "/view",
        "/grafana.json",
        "/rules.yml",
        "/?name[]=jobs",
        "/?name[]=missing",
        "/?name[]=",
        "/?limit=1&name%5B%5D=jobs",
    ] {
        read(&router, authorized(path)).await;
        assert_eq!(poll(&mut wait), None, "{path}");
    }
    let mut json = authorized("/");
    let headers = json.headers_mut();
    headers.insert(ACCEPT, "application/json".parse().unwrap());
    read(&router, json).await;
    for path in ["/", "/json"] {
        let mut head = authorized(path);
        *head.method_mut() = Method::HEAD;
        read(&router, head).await;
    }
    // Without the token.
    let refused = router.clone().oneshot(request("/")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(poll(&mut wait), None);

    // Aborted after the head, and after a part of the body.
    let response = router.clone().oneshot(authorized("/")).await.unwrap();
    drop(response);
    let response = router.clone().oneshot(authorized("/")).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    drop(body);
    assert_eq!(poll(&mut wait), None);

    read(&router, authorized("/?limit=1&other=2")).await;
    assert_eq!(poll(&mut wait), Some(Ok(())));
}

#[tokio::test]
async fn a_scrape_whose_last_part_was_not_read_does_not_count() {
    let (router, last_scrape) = start(&small());
    let mut wait = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut wait), None);
    // All of its data is in this frame, but the client goes away before the end.
    let response = router.clone().oneshot(request("/")).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(poll(&mut wait), None);
    drop(body);
    assert_eq!(poll(&mut wait), None);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_times_out_or_is_refused_does_not_count() {
    for (timeout, max) in [(Duration::ZERO, 8), (HOUR, 0)] {
        let settings = MetricsRouter::new().registry(&small());
        let settings = settings.scrape_timeout(timeout).max_concurrent_scrapes(max);
        let last_scrape = settings.last_scrape();
        let router: Router = settings.build();
        let mut wait = pin!(last_scrape.wait(HOUR));
        assert_eq!(poll(&mut wait), None);
        let response = router.oneshot(request("/")).await.unwrap();
        // It is an error, or a response with another status.
        let _ = response.into_body().collect().await;
        assert_eq!(poll(&mut wait), None);
    }
}

#[tokio::test]
async fn a_scrape_that_began_before_the_call_does_not_count() {
    let (router, last_scrape) = start(&small());
    let earlier = router.clone().oneshot(request("/")).await.unwrap();
    let mut wait = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut wait), None);
    // It reads the registry after the call, too.
    earlier.into_body().collect().await.unwrap();
    assert_eq!(poll(&mut wait), None);
    read(&router, request("/")).await;
    assert_eq!(poll(&mut wait), Some(Ok(())));
}

#[tokio::test]
async fn each_call_counts_the_scrapes_that_began_after_it() {
    let registry = small();
    let settings = MetricsRouter::new().registry(&registry).scrapers(2);
    let last_scrape = settings.last_scrape();
    let router: Router = settings.build();
    let (mut first, mut second) = (
        pin!(last_scrape.wait(HOUR)),
        pin!(last_scrape.wait(Duration::MAX)),
    );
    assert_eq!(poll(&mut first), None);
    let between = router.clone().oneshot(request("/")).await.unwrap();
    assert_eq!(poll(&mut second), None);
    read(&router, request("/")).await;
    assert_eq!((poll(&mut first), poll(&mut second)), (None, None));
    // For the first call it is the second scrape.
    between.into_body().collect().await.unwrap();
    assert_eq!((poll(&mut first), poll(&mut second)), (Some(Ok(())), None));
    read(&router, request("/")).await;
    assert_eq!(poll(&mut second), Some(Ok(())));
    // Earlier scrapes do not count for a later call.
    let mut third = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut third), None);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_call_ends_with_the_number_of_complete_scrapes() {
    let registry = small();
    let settings = MetricsRouter::new().registry(&registry).scrapers(3);
    let last_scrape = settings.last_scrape();
    let router: Router = settings.build();
    let begin = Instant::now();
    let earlier = Duration::from_millis(34_998);
    let deadline = Duration::from_secs(35);
    let mut wait = pin!(last_scrape.wait(deadline));
    assert_eq!(poll(&mut wait), None);
    read(&router, request("/")).await;
    advance(earlier).await;
    assert_eq!(poll(&mut wait), None);
    let timeout = wait.await.unwrap_err();
    assert_eq!(begin.elapsed().as_secs(), 35);
    assert_eq!((timeout.completed(), timeout.expected()), (1, 3));
    let text = timeout.to_string();
    assert!(text.starts_with("1 of 3 scrapes were complete within 35s"));
    // No scrape is expected.
    let none = MetricsRouter::new().scrapers(0).last_scrape();
    assert_eq!(none.wait(Duration::ZERO).await, Ok(()));
}

#[tokio::test]
async fn after_the_call_and_after_its_end_the_router_serves_all_requests() {
    let (router, last_scrape) = start(&small());
    assert!(!last_scrape.is_shutting_down());
    // A future that is not polled is no call.
    drop(last_scrape.wait(HOUR));
    assert!(!last_scrape.is_shutting_down());
    {
        let mut wait = pin!(last_scrape.wait(HOUR));
        assert_eq!(poll(&mut wait), None);
        assert!(last_scrape.clone().is_shutting_down());
        assert!(read(&router, request("/json")).await.contains("jobs"));
    }
    // The call was dropped.
    assert!(last_scrape.is_shutting_down());
    assert!(read(&router, request("/")).await.contains("jobs_total 1"));
    let mut wait = pin!(last_scrape.wait(HOUR));
    assert_eq!(poll(&mut wait), None);
    read(&router, request("/")).await;
    assert_eq!(poll(&mut wait), Some(Ok(())));
}

#[tokio::test]
async fn only_scrapes_of_the_same_router_count() {
    let (one, other) = (small(), small());
    let base = MetricsRouter::new().scrape_timeout(HOUR);
    // Clones that are made before the handle do not share it.
    let separate: Router = base.clone().registry(&one).build();
    let settings = base.registry(&other);
    let last_scrape = settings.last_scrape();
    let shared: Router = settings.clone().build();
    let router: Router = settings.build();
    for (router, counts) in [(separate, false), (shared, true), (router, true)] {
        let mut wait = pin!(last_scrape.wait(HOUR));
        assert_eq!(poll(&mut wait), None);
        read(&router, request("/")).await;
        assert_eq!(poll(&mut wait).is_some(), counts);
    }
}

/// The clients note what they have read before they read the end of a response, which completes
/// the scrape.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_races_with_scrapes_returns_only_once_its_values_were_scraped() {
    const CALLS: u32 = 500;
    let registry = small();
    let value = registry.gauge("value", "").unwrap();
    let (router, last_scrape) = start(&registry);
    let scraped = Arc::new(AtomicU32::new(0));
    let is_done = Arc::new(AtomicBool::new(false));
    let scrapers: Vec<_> = (0..4)
        .map(|_| {
            let (scraped, is_done) = (Arc::clone(&scraped), Arc::clone(&is_done));
            tokio::spawn(scrape_until(router.clone(), scraped, is_done))
        })
        .collect();
    for call in 1..=CALLS {
        value.set(call);
        last_scrape.wait(HOUR).await.unwrap();
        let scraped = scraped.load(Ordering::SeqCst);
        assert!(scraped >= call, "{scraped} of {call}");
    }
    is_done.store(true, Ordering::SeqCst);
    for scraper in scrapers {
        scraper.await.unwrap();
    }
}

async fn scrape_until(router: Router, scraped: Arc<AtomicU32>, is_done: Arc<AtomicBool>) {
    while !is_done.load(Ordering::SeqCst) {
        let response = router.clone().oneshot(request("/")).await.unwrap();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            let text = std::str::from_utf8(&data).unwrap();
            if let Some(value) = text.lines().find_map(|line| line.strip_prefix("value ")) {
                scraped.fetch_max(value.parse().unwrap(), Ordering::SeqCst);
            }
        }
    }
}
