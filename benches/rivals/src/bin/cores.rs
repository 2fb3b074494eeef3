//! How memory, scrapes and records grow with the number of threads:
//! `cargo run --release --bin cores` in this directory.
//!
//! With more threads than processors, it measures memory and the number of words that a scrape reads,
//! but not contention.

use std::alloc::System;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use cap::Cap;
use tachometer::testing::set_busy_rate;
use tachometer::{Buckets, Counter, Histogram, Label, Registry};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const PAIRS: usize = 2_000;
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const SCRAPES: usize = 101;

/// How a registry of pairs is recorded in.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    threads: usize,
    is_busy: bool,
}

const LOADS: [Load; 4] = [
    Load {
        name: "rarely recorded, 1 thread",
        threads: 1,
        is_busy: false,
    },
    Load {
        name: "rarely recorded, 64 threads",
        threads: 64,
        is_busy: false,
    },
    Load {
        name: "all busy, 1 thread",
        threads: 1,
        is_busy: true,
    },
    Load {
        name: "all busy, 64 threads",
        threads: 64,
        is_busy: true,
    },
];

fn main() {
    for (name, buckets) in [
        ("11 bounds", Buckets::new(&BOUNDS).expect("valid bounds")),
        (
            "11 bounds and native buckets",
            Buckets::new(&BOUNDS).expect("valid bounds").native(),
        ),
    ] {
        pairs(name, &buckets);
    }
    records();
}

/// Prints the live bytes of a counter and a histogram with 3 labels, and the time of a scrape of
/// 2,000 of each.
fn pairs(name: &str, buckets: &Buckets) {
    println!("\ncounter and histogram with {name}, 3 labels\n");
    println!("| | live bytes | scrape, ms | ratio |\n| --- | --- | --- | --- |");
    let registries = LOADS.map(|load| registry(load, buckets));
    let mut times = LOADS.map(|_| Vec::with_capacity(SCRAPES));
    for _ in 0..SCRAPES {
        for ((registry, _), times) in registries.iter().zip(&mut times) {
            let begun = Instant::now();
            black_box(registry.export_prometheus());
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    let medians = times.map(|mut times| median(&mut times));
    for ((load, (_, bytes)), time) in LOADS.iter().zip(&registries).zip(medians) {
        let ratio = time / medians[0];
        println!("| {} | {bytes} | {time:.2} | {ratio:.2} |", load.name);
    }
}

/// Creates a registry, records in it, and returns it with the live bytes of a pair.
fn registry(load: Load, buckets: &Buckets) -> (Registry, usize) {
    set_busy_rate(if load.is_busy { 0 } else { u64::MAX >> 20 });
    let before = ALLOCATOR.allocated();
    let registry = Registry::new();
    let names = ["method", "route", "status"].map(Label::unlimited);
    let counters = registry
        .counter_family("requests_total", "", names.clone())
        .expect("valid names");
    let histograms = registry
        .histogram_family_with_buckets("request_seconds", "", names, buckets.clone())
        .expect("valid names");
    let routes: Vec<_> = (0..PAIRS).map(|route| format!("/routes/{route}")).collect();
    let end = Barrier::new(load.threads);
    thread::scope(|scope| {
        for thread in 0..load.threads {
            let (routes, counters, histograms, end) = (&routes, &counters, &histograms, &end);
            scope.spawn(move || {
                for turn in 0..6_400 / load.threads {
                    for route in routes {
                        let labels = ["GET", route, "200"];
                        counters.with_ref(labels, Counter::inc);
                        let value = value((thread + turn * load.threads) as u64);
                        histograms.with_ref(labels, |histogram| histogram.observe(value));
                    }
                }
                // All threads exist at the same time, so each has a number of its own.
                end.wait();
            });
        }
    });
    drop(routes);
    let bytes = (ALLOCATOR.allocated() - before) / PAIRS;
    (registry, bytes)
}

/// Prints the time of a record through a handle, by the number of threads that record in one
/// busy series.
fn records() {
    set_busy_rate(0);
    println!("\nnanoseconds per operation, over all threads\n");
    println!("| | 1 thread | 2 | 8 | 64 |\n| --- | --- | --- | --- | --- |");
    let bare = AtomicU64::new(0);
    let counter = Counter::new();
    let histogram = Histogram::with_buckets(Buckets::new(&BOUNDS).expect("valid bounds"));
    for turn in 0..10_000 {
        counter.inc();
        histogram.observe(value(turn));
    }
    let add = |_| {
        bare.fetch_add(1, Ordering::Relaxed);
    };
    row("bare `fetch_add`", add);
    row("counter inc", |_| counter.inc());
    row("histogram observe", |turn| histogram.observe(value(turn)));
}

fn row(name: &str, record: impl Fn(u64) + Sync) {
    const RECORDS: u64 = 4_000_000;

    let times = [1, 2, 8, 64].map(|threads| {
        let mut times: Vec<_> = (0..11)
            .map(|_| {
                let begun = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| (0..RECORDS / threads).for_each(&record));
                    }
                });
                begun.elapsed().as_secs_f64() * 1e9 / RECORDS as f64
            })
            .collect();
        format!("{:.2}", median(&mut times))
    });
    println!("| {name} | {} |", times.join(" | "));
}

/// Returns a value of one decade.
fn value(turn: u64) -> f64 {
    let random = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    0.01 + 0.09 * random as f64 / (1 << 24) as f64
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
