//! Metrics of a registry in one of the `prometheus` crate.

use std::process::Command;
use std::thread;

use tachometer::Registry;
use tachometer::bridge::RegistryCollector;

use crate::bridge::prometheus::text_encoder::{encode, from_encoder, from_export};
use crate::support::fixture::Fixture;
use crate::support::program::{filter, promtool};

/// Returns a registry of the other crate that collects a registry.
fn collecting(registry: &Registry) -> prometheus::Registry {
    let other = prometheus::Registry::new();
    let collector = RegistryCollector::new(registry);
    other.register(Box::new(collector)).unwrap();
    other
}

#[test]
fn each_sample_equals_that_of_the_text_export() {
    for registry in [Fixture::new().registry, Fixture::utf8(), Registry::new()] {
        let other = collecting(&registry);
        assert_eq!(from_encoder(&other), from_export(&registry));
        registry.gauge("late", "Later.").unwrap().set(-0.0);
        assert_eq!(from_encoder(&other), from_export(&registry));
    }
}

#[test]
fn counts_are_exact_up_to_2_to_the_53() {
    let registry = Registry::new();
    let counter = registry.counter("bytes_total", "Bytes.").unwrap();
    for (added, text) in [
        ((1_u64 << 53) - 1, "9007199254740991"),
        (1, "9007199254740992"),
        // The model has no number for the next integer.
        (1, "9007199254740992"),
        (1, "9007199254740994"),
        (u64::MAX - (1 << 53) - 2, "18446744073709552000"),
    ] {
        counter.inc_by(added);
        let encoded = encode(&collecting(&registry));
        assert!(
            encoded.contains(&format!("bytes_total {text}\n")),
            "{encoded}"
        );
    }
}

#[test]
fn the_prefix_and_labels_of_the_other_registry_apply() {
    let registry = Registry::new().with_labels([("region", "eu")]).unwrap();
    let jobs = registry.counter_family("jobs", "Jobs.", ["queue"]).unwrap();
    jobs.with(["mail"]).inc();
    let labels = [("host".to_owned(), "a".to_owned())].into();
    let prefix = Some("app".to_owned());
    let other = prometheus::Registry::new_custom(prefix, Some(labels)).unwrap();
    other
        .register(Box::new(RegistryCollector::new(&registry)))
        .unwrap();
    let text = encode(&other);
    let line = "app_jobs_total{region=\"eu\",queue=\"mail\",host=\"a\"} 1\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_scrape_beside_metrics_of_the_other_crate_passes_promtool() {
    let registry = Registry::new();
    let jobs = registry.counter_family("jobs", "Jobs.", ["queue"]).unwrap();
    jobs.with(["mail"]).inc();
    let seconds = registry.histogram("job_seconds", "Durations.").unwrap();
    seconds.observe(0.2);
    registry
        .gauge("queue_length", "Jobs that wait.")
        .unwrap()
        .set(2);
    let other = collecting(&registry);
    let counter = prometheus::IntCounter::new("their_jobs_total", "Jobs.").unwrap();
    other.register(Box::new(counter)).unwrap();
    let text = encode(&other);
    assert!(
        text.contains("job_seconds_bucket{le=\"+Inf\"} 1\n"),
        "{text}"
    );
    if promtool() {
        filter(Command::new("promtool").args(["check", "metrics"]), &text);
    }
}

#[test]
fn a_scrape_while_64_threads_record_is_consistent_and_ends_exact() {
    const THREADS: u64 = 64;
    const COUNTS: u64 = 2_000;
    let registry = Registry::new();
    let other = collecting(&registry);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let registry = &registry;
            scope.spawn(move || {
                // Half of the families are new to half of the threads.
                let name = format!("jobs_{}_total", thread / 2);
                let jobs = registry.counter_family(&name, "Jobs.", ["worker"]).unwrap();
                let seconds = registry.histogram("job_seconds", "Durations.").unwrap();
                for _ in 0..COUNTS {
                    jobs.with([&thread.to_string()]).inc();
                    seconds.observe(0.5);
                }
            });
        }
        for _ in 0..20 {
            // The parser checks that each histogram is consistent.
            from_encoder(&other);
        }
    });
    let families = from_encoder(&other);
    assert_eq!(families, from_export(&registry));
    let count = families["job_seconds"].series[0]
        .histogram
        .clone()
        .unwrap()
        .count;
    assert_eq!(count, Some(THREADS * COUNTS));
    let jobs = families
        .range("jobs_".to_owned()..)
        .filter(|(name, _)| name.starts_with("jobs_"));
    let series: Vec<_> = jobs.flat_map(|(_, family)| &family.series).collect();
    assert_eq!(series.len(), 64);
    assert!(
        series
            .iter()
            .all(|series| series.number.unwrap().real().0 == 2_000.0)
    );
}
