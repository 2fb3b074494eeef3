//! The cost of recording and of scrapes: `cargo bench --bench core`.
//!
//! Only this crate, on one thread. Comparisons with other crates, on one and two threads, are in
//! `benches/rivals/`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tachometer::Registry;

fn record(criterion: &mut Criterion) {
    let registry = Registry::new();
    let counter = registry.counter("counter", "").expect("a valid name");
    let gauge = registry.gauge("gauge", "").expect("a valid name");
    let histogram = registry.histogram("histogram", "").expect("a valid name");
    let family = registry
        .counter_family("family", "", ["method", "status"])
        .expect("valid names");

    criterion.bench_function("counter/inc", |bench| bench.iter(|| counter.inc()));
    criterion.bench_function("counter/inc_by_f64", |bench| {
        bench.iter(|| counter.inc_by(black_box(0.5)));
    });
    criterion.bench_function("gauge/inc", |bench| bench.iter(|| gauge.inc()));
    criterion.bench_function("histogram/observe", |bench| {
        bench.iter(|| histogram.observe(black_box(0.3)));
    });
    criterion.bench_function("family/with_two_labels_inc", |bench| {
        bench.iter(|| family.with([black_box("GET"), black_box("200")]).inc());
    });
}

fn scrape(criterion: &mut Criterion) {
    let registry = Registry::new();
    let family = registry
        .histogram_family("seconds", "Durations.", ["route", "status"])
        .expect("valid names");
    for route in 0..1_000 {
        let route = format!("/route/{route}/{{id}}");
        family.with([&route, "200"]).observe(0.3);
    }
    criterion.bench_function("scrape/text_1000_histograms", |bench| {
        bench.iter(|| registry.export_prometheus());
    });
    criterion.bench_function("scrape/json_1000_histograms", |bench| {
        bench.iter(|| registry.export_json());
    });
}

criterion_group!(benches, record, scrape);
criterion_main!(benches);
