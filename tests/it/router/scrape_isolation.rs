//! A collector that blocks or panics, and a runtime that has ended, harm no other request.

use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, StatusCode, Version};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tachometer::MetricsRouter;
use tower::ServiceExt;

use super::scrape_fixture::{gated, request, router, small};
use crate::support::loopback::{Caller, Server};
use crate::support::read::sum;
use crate::support::wait::until;

/// On a runtime with one thread, which a collector would block if it ran there.
#[tokio::test]
async fn a_collector_that_blocks_delays_no_other_request() {
    for path in ["/metrics", "/metrics/json", "/metrics/summary"] {
        let (registry, gate, _opened) = gated();
        let server = Server::start(router(MetricsRouter::new().registry(&registry))).await;
        let url = move |path: &str| format!("http://{}{path}", server.address);
        let blocked = tokio::spawn({
            let url = url(path);
            async move { Caller::new(Version::HTTP_11).get(&url).await }
        });
        until(|| gate.calls() == 1).await;
        let caller = Caller::new(Version::HTTP_11);
        assert_eq!(caller.get(&url("/")).await.unwrap().body, "a page");
        let other = caller.get(&url("/metrics?name[]=jobs")).await.unwrap();
        assert!(other.body.ends_with("jobs_total 1\n"), "{}", other.body);
        assert!(!blocked.is_finished());
        gate.open();
        let whole = blocked.await.unwrap().unwrap();
        assert!(whole.body.contains("gated"), "{}", whole.body);
    }
}

#[tokio::test]
async fn a_collector_that_panics_loses_only_its_own_families() {
    let registry = small();
    registry
        .gauge_fn("bad", "", || -> f64 { panic!("it is meant to") })
        .unwrap();
    registry.gauge_fn("good", "", || 1).unwrap();
    let router = router(MetricsRouter::new().registry(&registry));
    for (path, accept) in [
        ("/metrics", "text/plain"),
        ("/metrics", "application/openmetrics-text"),
        ("/metrics/json", "*/*"),
        ("/metrics/summary", "*/*"),
    ] {
        let mut request = request(path);
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        assert!(body.contains("jobs") && body.contains("good"), "{body}");
        assert!(body.contains("tachometer_collector_panics_total"), "{body}");
        let has_value =
            body.contains("\nbad ") || body.contains("\"bad\":{\"type\":\"gauge\",\"value\"");
        assert!(!has_value, "{body}");
    }
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 4.0);
}

#[test]
fn a_response_breaks_off_when_the_runtime_has_ended() {
    let registry = small();
    let app = router(MetricsRouter::new().registry(&registry));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(app.oneshot(request("/metrics"))).unwrap();
    let ended = runtime.handle().clone();
    drop(runtime);
    let _inside = ended.enter();
    let mut body = answer.into_body();
    let frame = body.frame().now_or_never();
    let frame = frame.expect("there is nothing to wait for");
    assert!(frame.expect("an error, not the end").is_err());
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
    assert_eq!(sum(&registry, "tachometer_scrapes_aborted_total", &[]), 1.0);
}

#[test]
fn without_a_runtime_a_scrape_runs_on_the_polling_thread() {
    let registry = small();
    let app = router(MetricsRouter::new().registry(&registry));
    for path in ["/metrics", "/metrics/json", "/metrics/summary"] {
        let answer = app.clone().oneshot(request(path)).now_or_never();
        let body = answer
            .expect("there is nothing to wait for")
            .unwrap()
            .into_body();
        let body = body.collect().now_or_never();
        let body = body.expect("there is nothing to wait for").unwrap();
        assert!(String::from_utf8_lossy(&body.to_bytes()).contains("jobs"));
    }
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 3.0);
}
