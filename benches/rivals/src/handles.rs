//! Recording through a handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::Recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::metrics::{counter, histogram};

use crate::{BOUNDS, SHARDS, value};
use tachometer_rivals::Candidate;

pub fn counters() -> Vec<Candidate> {
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
        Candidate::new("bare fetch_add", move |_| {
            bare.fetch_add(1, Ordering::Relaxed);
        }),
        // The minimum for a thread that shares nothing. With two threads it loses increments, and
        // still shares a cache line.
        Candidate::new("bare load and store", move |_| {
            alone.store(alone.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }),
        Candidate::new("tachometer", move |_| ours.inc()),
        Candidate::new("prometheus 0.14", move |_| tikv.inc()),
        Candidate::new("prometheus-client 0.25", move |_| {
            client.inc();
        }),
        Candidate::new("fastmetrics 0.7", move |_| {
            fast.inc();
        }),
        Candidate::new("fast-telemetry 0.10", move |_| sharded.inc()),
        Candidate::new("measured 0.0.25", move |_| measured.get_metric().inc()),
        Candidate::new("metrics 0.24", move |_| facade.increment(1)),
    ]
}

pub fn histograms() -> Vec<Candidate> {
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
        Candidate::new("tachometer", move |iteration| {
            ours.observe(value(iteration))
        }),
        Candidate::new("prometheus 0.14", move |iteration| {
            tikv.observe(value(iteration))
        }),
        Candidate::new("prometheus-client 0.25", move |iteration| {
            client.observe(value(iteration));
        }),
        Candidate::new("fastmetrics 0.7", move |iteration| {
            fast.observe(value(iteration))
        }),
        // It counts integers: microseconds here.
        Candidate::new("fast-telemetry 0.10, integers", move |iteration| {
            sharded.record(iteration % 1_000 * 4_000);
        }),
        Candidate::new("measured 0.0.25", move |iteration| {
            measured.get_metric().observe(value(iteration));
        }),
        // It stores every value until its upkeep, whose time is not included.
        Candidate::new("metrics 0.24, without upkeep", move |iteration| {
            facade.record(value(iteration));
        })
        .after(move || recorder.handle().run_upkeep()),
    ]
}

fn metadata() -> metrics::Metadata<'static> {
    metrics::Metadata::new("rivals", metrics::Level::INFO, None)
}
