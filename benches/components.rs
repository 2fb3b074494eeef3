//! The cost of the parts outside the core: `#[timed]`, system metrics, and the page.
//!
//! Each is compared with a baseline: a timed function with two clock readings and an observation, a
//! scrape with system metrics with one without, a view of the page with a scrape of the same
//! registry.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tachometer::{Metric, MetricsLayer, MetricsRouter, Registry, SystemMetrics, timed};
use tokio::runtime::Runtime;
use tower::ServiceExt;

#[timed("sync_seconds")]
fn sync(number: u64) -> u64 {
    black_box(number) + 1
}

#[timed("outcome_seconds", outcome)]
fn outcome(number: u64) -> Result<u64, u64> {
    Ok(black_box(number) + 1)
}

#[timed("future_seconds")]
async fn future(number: u64) -> u64 {
    black_box(number) + 1
}

fn runs(criterion: &mut Criterion) {
    let histogram = tachometer::histogram("baseline_seconds", "");
    criterion.bench_function("timed/baseline", |bench| {
        bench.iter(|| {
            let started = Instant::now();
            let number = black_box(1) + 1;
            histogram.observe_duration(started.elapsed());
            number
        });
    });
    criterion.bench_function("timed/sync", |bench| bench.iter(|| sync(1)));
    criterion.bench_function("timed/outcome", |bench| bench.iter(|| outcome(1)));
    criterion.bench_function("timed/future", |bench| {
        bench.iter(|| future(1).now_or_never());
    });
}

fn scrapes(criterion: &mut Criterion) {
    let registry = |interval: Option<Duration>| {
        let registry = Registry::new();
        registry.counter("one_total", "").expect("a valid name");
        if let Some(interval) = interval {
            let metrics = SystemMetrics::new().interval(interval);
            metrics.register(&registry).expect("unused names");
        }
        registry
    };
    for (name, interval) in [
        ("without", None),
        ("each_time", Some(Duration::ZERO)),
        ("within_an_interval", Some(Duration::from_secs(3_600))),
    ] {
        let registry = registry(interval);
        criterion.bench_function(&format!("system/{name}"), |bench| {
            bench.iter(|| registry.export_prometheus());
        });
    }
}

/// A view of 2,000 series (8,500 as Prometheus counts histograms), rendered each time or shared.
fn views(criterion: &mut Criterion) {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let layer = layer.try_register().expect("unused names");
    let paths = (0..500).map(|number| format!("/route/{number}"));
    let paths: Vec<_> = paths.collect();
    let mut service = Router::new();
    for path in &paths {
        service = service.route(path, get(async || "an answer"));
    }
    let service = service.layer(layer);
    let runtime = Runtime::new().expect("a runtime");
    let call = |service: &Router, path: &str| {
        let request = Request::get(path).body(Body::empty());
        let request = request.expect("a valid request");
        let answer = runtime.block_on(async {
            let answer = service.clone().oneshot(request).await?;
            Ok::<_, Infallible>(answer.into_body().collect().await)
        });
        answer.expect("an answer").expect("a whole answer")
    };
    for path in &paths {
        call(&service, path);
    }
    let series: usize = registry.metrics().iter().map(Metric::series).sum();
    assert_eq!(series, 2_000);
    let metrics = || {
        MetricsRouter::new()
            .registry(&registry)
            .without_system_metrics()
    };
    let scraped = metrics().build();
    criterion.bench_function("page/scrape", |bench| bench.iter(|| call(&scraped, "/")));
    for (name, interval) in [
        ("view_each_time", Duration::ZERO),
        ("view_shared", Duration::from_secs(3_600)),
    ] {
        let page = metrics().dashboard_interval(interval).build();
        criterion.bench_function(&format!("page/{name}"), |bench| {
            bench.iter(|| call(&page, "/view"));
        });
    }
}

criterion_group!(benches, runs, scrapes, views);
criterion_main!(benches);
