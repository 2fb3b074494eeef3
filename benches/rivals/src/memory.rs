//! The live bytes of used series, measured by a counting allocator.

use cap::Cap;
use std::alloc::System;

use crate::BOUNDS;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const SERIES: usize = 10_000;
const USES: u32 = 10;

/// Prints the bytes of one counter and one histogram of 11 bounds, with 3 labels
/// each, out of 10,000 of each kind, each used ten times.
pub fn compare() {
    println!("\nlive bytes of a counter and a histogram, 3 labels\n");
    println!("| candidate | bytes |\n| --- | --- |");
    for (name, buckets) in [
        ("tachometer", tachometer::Buckets::default()),
        (
            "tachometer, native",
            tachometer::Buckets::default().native(),
        ),
    ] {
        let registry = tachometer::Registry::new();
        measure(name, || {
            // One route per series, far above the default limit.
            let names = ["method", "route", "status"].map(tachometer::Label::unlimited);
            let counters = registry
                .counter_family("c", "", names.clone())
                .expect("valid names");
            let histograms = registry
                .histogram_family_with_buckets("h", "", names, buckets)
                .expect("valid names");
            each(|labels, value| {
                counters.with_ref(labels, tachometer::Counter::inc);
                histograms.with_ref(labels, |histogram| histogram.observe(value));
            });
            (counters, histograms)
        });
    }
    measure("prometheus-client 0.25", || {
        use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
        type Labels = Vec<(String, String)>;
        let counters = Family::<Labels, Counter>::default();
        let bounds = BOUNDS.to_vec();
        let histograms = Family::<Labels, Histogram, _>::new_with_constructor(move || {
            Histogram::new(bounds.clone())
        });
        each(|labels, value| {
            let labels: Labels = ["method", "route", "status"]
                .iter()
                .zip(labels)
                .map(|(name, value)| ((*name).to_owned(), value.to_owned()))
                .collect();
            counters.get_or_create(&labels).inc();
            histograms.get_or_create(&labels).observe(value);
        });
        (counters, histograms)
    });
    measure("fastmetrics 0.7", || {
        use fastmetrics::metrics::{counter::Counter, family::Family, histogram::Histogram};
        let counters = Family::<[String; 3], Counter>::default();
        let bounds = BOUNDS.to_vec();
        let histograms =
            Family::<[String; 3], Histogram>::new(move || Histogram::new(bounds.clone()));
        each(|labels, value| {
            let labels = labels.map(str::to_owned);
            counters.with_or_new(&labels, |counter| counter.inc());
            histograms.with_or_new(&labels, |histogram| histogram.observe(value));
        });
        (counters, histograms)
    });
}

/// Records into every series, with values over one decade.
fn each(mut record: impl FnMut([&str; 3], f64)) {
    for series in 0..SERIES {
        let (route, status) = (format!("/api/items/{series}"), ["200", "404"][series % 2]);
        for iteration in 0..USES {
            record(["GET", &route, status], 0.01 + 0.01 * f64::from(iteration));
        }
    }
}

fn measure<T>(name: &str, make: impl FnOnce() -> T) {
    let before = ALLOCATOR.allocated();
    let made = make();
    let bytes = ALLOCATOR.allocated().saturating_sub(before);
    println!("| {name} | {} |", bytes / SERIES);
    drop(made);
}
