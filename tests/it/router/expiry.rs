//! Expiry of series: which scrapes count as a delivery.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use tachometer::snapshot::Resolution;
use tachometer::{Buckets, Counter, Family, MetricsRouter, Registry};
use tower::ServiceExt;

use super::scrape_fixture::{HOUR, request};
use crate::support::read::sum;

const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
/// The Prometheus formats.
const FORMATS: [&str; 4] = [
    "text/plain;version=0.0.4",
    "text/plain;version=1.0.0",
    "application/openmetrics-text",
    PROTOBUF,
];

fn router(registry: &Registry) -> Router {
    let settings = MetricsRouter::new().registry(registry);
    settings.scrape_timeout(HOUR).build()
}

/// A counter family whose series expire at the first scrape after a complete one.
fn expiring(registry: &Registry) -> Family<Counter, 1> {
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    family.expire_after(Duration::ZERO)
}

async fn body(router: &Router, request: Request<Body>) -> Bytes {
    let response = router.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn scrape(router: &Router) -> String {
    let body = body(router, request("/")).await;
    String::from_utf8(body.to_vec()).unwrap()
}

fn expired(registry: &Registry) -> f64 {
    sum(registry, "tachometer_series_expired_total", &[])
}

#[tokio::test]
async fn a_series_expires_after_a_complete_scrape_in_each_prometheus_format() {
    for format in FORMATS {
        for coding in ["identity", "gzip", "zstd"] {
            let registry = Registry::new();
            expiring(&registry).with_ref(["a"], Counter::inc);
            let router = router(&registry);
            for expected in [0.0, 1.0] {
                let mut request = request("/");
                let headers = request.headers_mut();
                headers.insert(ACCEPT, format.parse().unwrap());
                headers.insert(ACCEPT_ENCODING, coding.parse().unwrap());
                body(&router, request).await;
                assert_eq!(expired(&registry), expected, "{format}, {coding}");
            }
            assert_eq!(sum(&registry, "c", &[]), 0.0);
            let text = scrape(&router).await;
            assert!(
                text.contains("tachometer_series_expired_total{metric=\"c\"} 1\n"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn reads_that_deliver_nothing_to_prometheus_let_nothing_expire() {
    let registry = Registry::new();
    expiring(&registry).with_ref(["a"], Counter::inc);
    registry.counter("other", "").unwrap();
    let router = router(&registry);
    for _ in 0..3 {
        for path in [
            "/json",
            "/summary",
            "/?name[]=other",
            "/?name[]=missing",
            "/?name[]=tachometer_series",
        ] {
            body(&router, request(path)).await;
        }
        for path in ["/", "/json"] {
            let mut head = request(path);
            *head.method_mut() = Method::HEAD;
            body(&router, head).await;
        }
        let mut json = request("/");
        json.headers_mut()
            .insert(ACCEPT, "application/json".parse().unwrap());
        body(&router, json).await;
        registry.gather().for_each(drop);
        let _ = (registry.export_prometheus(), registry.export_json());
        // Cut off after the head, and after the last chunk but before the end.
        drop(router.clone().oneshot(request("/")).await.unwrap());
        let response = router.clone().oneshot(request("/")).await.unwrap();
        assert!(response.into_body().frame().await.unwrap().is_ok());
        assert_eq!(registry.get("c").unwrap().series(), 1);
    }
    // A scrape that selects the family counts.
    for _ in 0..2 {
        body(&router, request("/?name[]=c_total")).await;
    }
    assert_eq!(expired(&registry), 1.0);
}

#[tokio::test]
async fn a_scrape_that_started_before_a_value_was_recorded_does_not_deliver_it() {
    let registry = Registry::new();
    let family = expiring(&registry);
    family.with_ref(["a"], Counter::inc);
    // Several chunks, so that the scrapes stay in progress.
    let more = registry.gauge_family("d", "", ["x"]).unwrap().limit(10_000);
    for number in 0..10_000 {
        more.with([&number.to_string()]);
    }
    let router = router(&registry);
    let start = async || {
        let response = router.clone().oneshot(request("/")).await.unwrap();
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        body
    };
    // The first has read the old value, the second one the new one.
    let first = start().await;
    family.with_ref(["a"], Counter::inc);
    let second = start().await;
    first.collect().await.unwrap();
    scrape(&router).await;
    // This scrape started after the second one has seen the value, and delivered it.
    assert_eq!(expired(&registry), 0.0);
    scrape(&router).await;
    assert_eq!(expired(&registry), 1.0);
    second.collect().await.unwrap();
    scrape(&router).await;
    assert_eq!(expired(&registry), 1.0);

    family.with_ref(["b"], Counter::inc);
    let aborted = start().await;
    let complete = start().await;
    drop(aborted);
    complete.collect().await.unwrap();
    scrape(&router).await;
    assert_eq!(expired(&registry), 2.0);
}

#[tokio::test]
async fn a_kept_handle_brings_its_series_back_at_zero_with_a_new_start() {
    let registry = Registry::new();
    let family = expiring(&registry);
    let counter = family.with(["a"]);
    counter.inc_by(5);
    let created = || {
        let blocks = registry.gather().filter(|block| block.desc.name() == "c");
        blocks
            .flat_map(|block| block.created_millis)
            .collect::<Vec<_>>()
    };
    let before = created();
    let router = router(&registry);
    // The start is in milliseconds.
    let other = Counter::new();
    let millis = |counter: &Counter| counter.snapshot().created;
    while millis(&other) <= millis(&counter) {
        other.reset();
    }
    scrape(&router).await;
    let text = scrape(&router).await;
    assert!(!text.contains("c_total{"), "{text}");
    counter.inc_by(2);
    assert_eq!(sum(&registry, "c", &[("x", "a")]), 2.0);
    assert!(created() > before);
    // Its next value has to be delivered, too.
    scrape(&router).await;
    assert_eq!(expired(&registry), 1.0);
    scrape(&router).await;
    assert_eq!(expired(&registry), 2.0);
    drop(counter);
    // It freed its part of the limit.
    let family = family.limit(1);
    family.with_ref(["b"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "b")]), 1.0);
}

#[tokio::test]
async fn series_expire_only_if_nothing_was_recorded_in_them() {
    let registry = Registry::new();
    let at_once = Duration::ZERO;
    let native = Buckets::default().resolution(Resolution::default());
    let counters = registry
        .counter_family("c", "", ["x"])
        .unwrap()
        .expire_after(at_once);
    let gauges = registry
        .gauge_family("g", "", ["x"])
        .unwrap()
        .expire_after(at_once);
    let histograms = registry
        .histogram_family_with_buckets("h", "", ["x"], native)
        .unwrap()
        .expire_after(at_once);
    let plain = registry.counter_family("plain", "", ["x"]).unwrap();
    let router = router(&registry);
    for name in ["idle", "used"] {
        plain.with([name]);
        counters.with_ref([name], |counter| counter.inc_by(0.5));
        gauges.with([name]).set(7);
        histograms.with([name]).observe(0.3);
    }
    for _ in 0..12 {
        scrape(&router).await;
        counters.with_ref(["used"], |counter| counter.inc_by(0.5));
        gauges.with(["used"]).set(7);
        histograms.with(["used"]).observe(1e9);
    }
    assert_eq!(expired(&registry), 3.0);
    for (metric, value) in [("c", 6.5), ("g", 7.0), ("h", 13.0)] {
        assert_eq!(sum(&registry, metric, &[("x", "idle")]), 0.0);
        assert_eq!(sum(&registry, metric, &[("x", "used")]), value, "{metric}");
    }
    // A reset and the same value again are a use.
    scrape(&router).await;
    let counter = counters.with(["used"]);
    let other = Counter::new();
    while other.snapshot().created <= counter.snapshot().created {
        other.reset();
    }
    counter.reset();
    counter.inc_by(6.5);
    let text = scrape(&router).await;
    assert!(text.contains("c_total{x=\"used\"} 6.5\n"), "{text}");
    assert!(text.contains("plain_total{x=\"idle\"} 0\n"), "{text}");
    for expected in [6.0, 6.0] {
        scrape(&router).await;
        assert_eq!(expired(&registry), expected);
    }
}

#[tokio::test]
async fn declared_and_overflow_series_never_expire() {
    let registry = Registry::new();
    let family = expiring(&registry).limit(0).declare([&["declared"]]);
    family.with_ref(["a"], Counter::inc);
    let router = router(&registry);
    for _ in 0..3 {
        scrape(&router).await;
    }
    assert_eq!(expired(&registry), 0.0);
    assert_eq!(registry.get("c").unwrap().series(), 2);
    assert!(family.remove(["declared"]) && family.remove(["_overflow"]));
    assert_eq!(registry.get("c").unwrap().series(), 0);
}

#[tokio::test]
async fn series_of_several_sets_expire_and_are_counted_together() {
    let registry = Registry::new();
    for tenant in ["a", "b"] {
        let tenant = registry.clone().with_labels([("tenant", tenant)]).unwrap();
        expiring(&tenant).with_ref(["\"\\"], Counter::inc);
    }
    let other = Registry::new();
    let gauges = other.gauge_family("g", "", ["x"]).unwrap();
    gauges.expire_after(Duration::ZERO).with(["a"]).set(1);
    let router = router(&Registry::merged([&registry, &other]).unwrap());
    scrape(&router).await;
    scrape(&router).await;
    assert_eq!((expired(&registry), expired(&other)), (2.0, 1.0));
}
