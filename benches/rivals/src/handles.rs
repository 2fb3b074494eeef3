//! Recording through a handle that was kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::Recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::metrics::{counter, histogram};

use crate::{BOUNDS, SHARDS, value};
use tachometer_rivals::Lane;

pub fn counters() -> Vec<Lane> {
    let bare = Arc::new(AtomicU64::new(0));
    let alone = Arc::new(AtomicU64::new(0));
    let ours = tachometer::Counter::new();
    let tikv = prometheus::IntCounter::new("c", "c").expect("a valid name");
    let client: counter::Counter = counter::Counter::default();
    let fast = fastmetrics::metrics::counter::Counter::<u64>::default();
    let sharded = fast_telemetry::Counter::new(SHARDS);
    let measured = measured::Counter::new();
    let recorder = PrometheusBuilder::new().build_recorder();
    let facade = recorder.register_counter(&"c".into(), &metadata());
    vec![
        Lane::new("bare fetch_add", move |_| {
            bare.fetch_add(1, Ordering::Relaxed);
        }),
        // What a thread that shares nothing cannot do without; on two threads it
        // counts wrong, and shares a cache line all the same.
        Lane::new("bare load and store", move |_| {
            alone.store(alone.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }),
        Lane::new("tachometer", move |_| ours.inc()),
        Lane::new("prometheus 0.14", move |_| tikv.inc()),
        Lane::new("prometheus-client 0.25", move |_| {
            client.inc();
        }),
        Lane::new("fastmetrics 0.7", move |_| {
            fast.inc();
        }),
        Lane::new("fast-telemetry 0.10", move |_| sharded.inc()),
        Lane::new("measured 0.0.25", move |_| measured.get_metric().inc()),
        Lane::new("metrics 0.24", move |_| facade.increment(1)),
    ]
}

pub fn histograms() -> Vec<Lane> {
    let ours = tachometer::Histogram::new();
    let options = prometheus::HistogramOpts::new("h", "h").buckets(BOUNDS.to_vec());
    let tikv = prometheus::Histogram::with_opts(options).expect("a valid name");
    let client = histogram::Histogram::new(BOUNDS);
    let fast = fastmetrics::metrics::histogram::Histogram::new(BOUNDS);
    let micros = BOUNDS.map(|bound| (bound * 1e6) as u64);
    let sharded = fast_telemetry::Histogram::new(&micros, SHARDS);
    let thresholds = measured::metric::histogram::Thresholds::with_buckets(BOUNDS);
    let measured = measured::Histogram::with_metadata(thresholds);
    let recorder = PrometheusBuilder::new()
        .set_buckets(&BOUNDS)
        .expect("valid bounds")
        .build_recorder();
    let facade = recorder.register_histogram(&"h".into(), &metadata());
    vec![
        Lane::new("tachometer", move |turn| ours.observe(value(turn))),
        Lane::new("prometheus 0.14", move |turn| tikv.observe(value(turn))),
        Lane::new("prometheus-client 0.25", move |turn| {
            client.observe(value(turn));
        }),
        Lane::new("fastmetrics 0.7", move |turn| fast.observe(value(turn))),
        // It counts whole numbers: microseconds here.
        Lane::new("fast-telemetry 0.10, integers", move |turn| {
            sharded.record(turn % 1_000 * 4_000);
        }),
        Lane::new("measured 0.0.25", move |turn| {
            measured.get_metric().observe(value(turn));
        }),
        // It keeps every value until its upkeep, whose time is not counted.
        Lane::new("metrics 0.24, without upkeep", move |turn| {
            facade.record(value(turn));
        })
        .after(move || recorder.handle().run_upkeep()),
    ]
}

fn metadata() -> metrics::Metadata<'static> {
    metrics::Metadata::new("rivals", metrics::Level::INFO, None)
}
