//! The cost of a scrape through the bridges to the `prometheus` crate, compared with its encoder.
//!
//! `cargo bench --all-features --bench prometheus` prints, for registries of several sizes, the
//! median of the microseconds per scrape, and its ratio to that of the crate's own encoder. The
//! candidates run in turn. A fifth of the series are histograms with eleven buckets.

use std::hint::black_box;
use std::time::{Duration, Instant};

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry as Other, TextEncoder,
};
use tachometer::Registry;
use tachometer::bridge::{PrometheusCollector, RegistryCollector};

const LABELS: [&str; 2] = ["route", "status"];
const ROUNDS: usize = 41;

/// A name and a function that scrapes once and returns the length of the text.
type Candidate = (&'static str, Box<dyn Fn() -> usize>);

fn main() {
    for series in [10, 1_000, 10_000] {
        let candidates = candidates(series);
        let rounds = ROUNDS.min(200_000 / series);
        let mut times = vec![Vec::new(); candidates.len()];
        for _ in 0..rounds {
            for ((_, scrape), times) in candidates.iter().zip(&mut times) {
                let started = Instant::now();
                black_box(scrape());
                times.push(started.elapsed());
            }
        }
        let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
        for ((name, scrape), time) in candidates.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            let (micros, bytes) = (time.as_micros(), scrape());
            println!("{series:>6} series  {name:36} {micros:>7} us {ratio:>6.2} {bytes:>9} bytes");
        }
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn candidates(series: usize) -> Vec<Candidate> {
    let (foreign, native) = (foreign(series), native(series));
    let bridged = Registry::new();
    let collector = PrometheusCollector::new(foreign.clone());
    bridged.collector(collector).expect("a new registry");
    let other = Other::new();
    let collector = RegistryCollector::new(&native);
    other.register(Box::new(collector)).expect("a new registry");
    vec![
        ("prometheus", Box::new(move || encode(&foreign))),
        (
            "prometheus, by PrometheusCollector",
            Box::new(move || bridged.export_prometheus().len()),
        ),
        (
            "tachometer",
            Box::new(move || native.export_prometheus().len()),
        ),
        (
            "tachometer, by RegistryCollector",
            Box::new(move || encode(&other)),
        ),
    ]
}

fn encode(registry: &Other) -> usize {
    let text = TextEncoder::new().encode_to_string(&registry.gather());
    text.expect("a valid registry").len()
}

/// Returns the labels of a series.
fn labels(number: usize) -> [String; 2] {
    let status = ["200", "404", "500", "503"][number % 4];
    [
        format!("/api/v1/resource{}/items", number / 4),
        status.to_owned(),
    ]
}

/// Returns a registry of the `prometheus` crate.
fn foreign(series: usize) -> Other {
    let registry = Other::new();
    let requests = IntCounterVec::new(Opts::new("requests_total", "Requests."), &LABELS);
    let sizes = GaugeVec::new(Opts::new("size_bytes", "Sizes."), &LABELS);
    let seconds = HistogramVec::new(HistogramOpts::new("seconds", "Durations."), &LABELS);
    let all = "valid names";
    let (requests, sizes, seconds) = (requests.expect(all), sizes.expect(all), seconds.expect(all));
    for number in 0..series {
        let labels = labels(number);
        match number % 5 {
            0 => seconds.with_label_values(&labels).observe(0.125),
            1 => sizes.with_label_values(&labels).set(0.75),
            _ => requests
                .with_label_values(&labels)
                .inc_by(7 * number as u64),
        }
    }
    registry.register(Box::new(requests)).expect("a new name");
    registry.register(Box::new(sizes)).expect("a new name");
    registry.register(Box::new(seconds)).expect("a new name");
    registry
}

/// Returns a registry of this crate with the same metrics.
fn native(series: usize) -> Registry {
    let registry = Registry::new();
    let all = "valid names";
    let requests = registry
        .counter_family("requests_total", "Requests.", LABELS)
        .expect(all);
    let sizes = registry
        .gauge_family("size_bytes", "Sizes.", LABELS)
        .expect(all);
    let seconds = registry
        .histogram_family("seconds", "Durations.", LABELS)
        .expect(all);
    let (requests, sizes) = (requests.limit(4 * series), sizes.limit(4 * series));
    let seconds = seconds.limit(4 * series);
    for number in 0..series {
        let [route, status] = labels(number);
        match number % 5 {
            0 => seconds.with([&route, &status]).observe(0.125),
            1 => sizes.with([&route, &status]).set(0.75),
            _ => requests.with([&route, &status]).inc_by(7 * number as u64),
        }
    }
    registry
}
