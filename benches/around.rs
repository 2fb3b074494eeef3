//! What the parts around the core cost: `#[timed]`, and the metrics of the system.
//!
//! Each stands beside its floor: a timed function beside two readings of the clock and an
//! observation, a scrape with the system's metrics beside one without.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use tachometer::{Registry, SystemMetrics, timed};

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
    let histogram = tachometer::histogram("floor_seconds", "");
    criterion.bench_function("timed/floor", |bench| {
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
            metrics.register(&registry).expect("no name is taken");
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

criterion_group!(benches, runs, scrapes);
criterion_main!(benches);
