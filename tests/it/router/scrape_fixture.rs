//! Registries and routers for tests of scrapes.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::HeaderName;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::scripted_collector::{BlockingCollector, OpenOnDrop};

pub(super) const TIMEOUT: HeaderName =
    HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// A timeout longer than any step.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// A registry with a counter of jobs and a collector that blocks.
pub(super) fn gated() -> (Registry, BlockingCollector, OpenOnDrop) {
    let (registry, gate) = (small(), BlockingCollector::default());
    registry.collector(gate.clone()).unwrap();
    (registry, gate.clone(), OpenOnDrop(gate))
}

pub(super) fn small() -> Registry {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    registry
}

/// More megabytes than the buffers of a socket hold.
pub(super) fn large() -> Registry {
    let registry = small();
    for number in 0..24 {
        let help = "h".repeat(1 << 20);
        registry.gauge(&format!("large_{number}"), &help).unwrap();
    }
    registry
}

pub(super) fn router(settings: MetricsRouter) -> Router {
    Router::new()
        .nest("/metrics", settings.build())
        .route("/", get(async || "a page"))
}

pub(super) fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(super) async fn status(router: &Router, path: &str) -> StatusCode {
    let answer = router.clone().oneshot(request(path)).await;
    answer.unwrap().status()
}

/// The end of a chunked response.
pub(super) const END: &[u8] = b"\r\n0\r\n\r\n";

pub(super) fn large_into(registry: &Registry) {
    let help = "h".repeat(24 << 20);
    registry.gauge("large", &help).unwrap();
}
