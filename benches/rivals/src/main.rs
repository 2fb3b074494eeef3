//! Races metric crates against each other: `cargo run --release` in this folder.
//!
//! All lanes of a race run in one process and in turn, round after round, so
//! that a machine whose speed drifts treats them alike. The median of the rounds
//! is what counts, and its ratio to the first lane's.

mod memory;
mod race;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::{counter, family, histogram};
use race::{Lane, race};

const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const STATUSES: [&str; 6] = ["200", "201", "302", "404", "500", "503"];

fn main() {
    memory::compare(&BOUNDS);
    for threads in [1, 2] {
        race("counter inc through a handle", threads, &counters());
        race(
            "histogram observe, 11 bounds, through a handle",
            threads,
            &histograms(),
        );
        race(
            "counter inc by 2 string labels, 18 series",
            threads,
            &families(),
        );
    }
}

fn counters() -> Vec<Lane> {
    let bare = Arc::new(AtomicU64::new(0));
    let alone = Arc::new(AtomicU64::new(0));
    let ours = tachometer::Counter::new();
    let tikv = prometheus::IntCounter::new("c", "c").expect("a valid name");
    let client: counter::Counter = counter::Counter::default();
    let fast = fastmetrics::metrics::counter::Counter::<u64>::default();
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
    ]
}

fn histograms() -> Vec<Lane> {
    let value = |turn: u64| (turn % 1_000) as f64 * 0.004;
    let ours = tachometer::Histogram::new();
    let options = prometheus::HistogramOpts::new("h", "h").buckets(BOUNDS.to_vec());
    let tikv = prometheus::Histogram::with_opts(options).expect("a valid name");
    let client = histogram::Histogram::new(BOUNDS);
    let fast = fastmetrics::metrics::histogram::Histogram::new(BOUNDS);
    vec![
        Lane::new("tachometer", move |turn| ours.observe(value(turn))),
        Lane::new("prometheus 0.14", move |turn| tikv.observe(value(turn))),
        Lane::new("prometheus-client 0.25", move |turn| {
            client.observe(value(turn))
        }),
        Lane::new("fastmetrics 0.7", move |turn| fast.observe(value(turn))),
    ]
}

fn families() -> Vec<Lane> {
    let pick = |turn: u64| {
        let turn = turn as usize;
        let (method, status) = (METHODS[turn % 3], STATUSES[turn / 3 % 6]);
        (black_box(method), black_box(status))
    };
    let registry = tachometer::Registry::new();
    let ours = registry
        .counter_family("c", "c", ["method", "status"])
        .expect("valid names");
    let options = prometheus::Opts::new("c", "c");
    let tikv = prometheus::IntCounterVec::new(options, &["method", "status"]).expect("valid names");
    let client = family::Family::<[(&str, &str); 2], counter::Counter>::default();
    let fast = fastmetrics::metrics::family::Family::<
        [&str; 2],
        fastmetrics::metrics::counter::Counter,
    >::default();
    vec![
        Lane::new("tachometer", move |turn| {
            let (method, status) = pick(turn);
            ours.record([method, status], tachometer::Counter::inc);
        }),
        Lane::new("prometheus 0.14", move |turn| {
            let (method, status) = pick(turn);
            tikv.with_label_values(&[method, status]).inc();
        }),
        Lane::new("prometheus-client 0.25", move |turn| {
            let (method, status) = pick(turn);
            client
                .get_or_create(&[("method", method), ("status", status)])
                .inc();
        }),
        Lane::new("fastmetrics 0.7", move |turn| {
            let (method, status) = pick(turn);
            fast.with_or_new(&[method, status], |counter| {
                counter.inc();
            });
        }),
    ]
}
