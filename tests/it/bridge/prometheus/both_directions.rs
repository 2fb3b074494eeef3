//! A registry of this crate and one of the `prometheus` crate that collect each other.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use prometheus::IntCounter;
use tachometer::Registry;
use tachometer::bridge::{PrometheusCollector, RegistryCollector};

use crate::bridge::prometheus::from_prometheus::{exported, refused_series};
use crate::bridge::prometheus::text_encoder::{Families, encode, from_encoder, from_export};

/// Adds each of two registries to the other.
fn connect(registry: &Registry, other: &prometheus::Registry) {
    let collector = PrometheusCollector::new(other.clone());
    registry.collector(collector).unwrap();
    let collector = RegistryCollector::new(registry);
    other.register(Box::new(collector)).unwrap();
}

/// Returns a registry with one counter of its own.
fn registry(name: &str) -> Registry {
    let registry = Registry::new();
    registry.counter(name, "Own.").unwrap().inc();
    registry
}

/// Returns a registry of the other crate with one counter of its own.
fn other(name: &str) -> prometheus::Registry {
    let other = prometheus::Registry::new();
    let counter = IntCounter::new(name, "Foreign.").unwrap();
    counter.inc_by(2);
    other.register(Box::new(counter)).unwrap();
    other
}

/// Returns the names of the families of a scrape by the other crate, without those about
/// registries.
fn names(families: &Families) -> Vec<&str> {
    let names = families.keys().map(|name| &**name);
    names
        .filter(|name| !name.starts_with("tachometer_"))
        .collect()
}

#[test]
fn each_scrape_ends_and_has_each_metric_once() {
    let (registry, other) = (registry("own_total"), other("their_total"));
    connect(&registry, &other);
    registry.gauge_fn("computed", "Computed.", || 7).unwrap();
    for _ in 0..3 {
        // The parsers of the tests refuse families and series that occur twice.
        assert_eq!(
            names(&from_encoder(&other)),
            ["computed", "own_total", "their_total"]
        );
        assert_eq!(
            names(&from_export(&registry)),
            ["computed", "own_total", "their_total"]
        );
    }
    assert_eq!(refused_series(&registry), 0.0);
    // Neither direction has changed the other one.
    assert!(encode(&other).contains("their_total 2\n"));
    assert!(registry.export_prometheus().contains("their_total 2\n"));
}

#[test]
fn a_read_for_the_other_crate_has_nothing_of_its_registries() {
    let (first, second) = (registry("first_total"), registry("second_total"));
    let (other, third) = (other("their_total"), prometheus::Registry::new());
    connect(&first, &other);
    third
        .register(Box::new(RegistryCollector::new(&second)))
        .unwrap();
    first.collector(PrometheusCollector::new(third)).unwrap();
    let all = ["first_total", "second_total", "their_total"];
    assert_eq!(names(&from_export(&first)), all);
    assert_eq!(refused_series(&first), 0.0);
    // The thread could hold the lock of the third registry, too.
    assert_eq!(names(&from_encoder(&other)), ["first_total", "their_total"]);
}

#[test]
fn two_registries_that_collect_the_same_one_and_are_collected_by_it_end() {
    let (first, second) = (registry("first_total"), registry("second_total"));
    let other = other("their_total");
    for (registry, part) in [(&first, "1"), (&second, "2")] {
        let collector = PrometheusCollector::new(other.clone());
        registry.collector(collector).unwrap();
        let labeled = registry.clone().with_labels([("part", part)]).unwrap();
        let collector = RegistryCollector::new(&labeled);
        other.register(Box::new(collector)).unwrap();
    }
    let all = ["first_total", "second_total", "their_total"];
    for _ in 0..2 {
        assert_eq!(names(&from_encoder(&other)), all);
        assert_eq!(names(&from_export(&first)), all);
        assert_eq!(names(&from_export(&second)), all);
    }
    assert_eq!(refused_series(&first) + refused_series(&second), 0.0);
}

/// Returns a registry of the other crate that collects a registry.
fn other_with(registry: &Registry) -> prometheus::Registry {
    let other = other("their_total");
    let collector = RegistryCollector::new(registry);
    other.register(Box::new(collector)).unwrap();
    other
}

#[test]
fn the_metrics_of_a_registry_about_itself_are_left_out_of_another() {
    let (first, second) = (registry("first_total"), registry("second_total"));
    // Registered as by the routers of both, in the order of a late start.
    second
        .counter("tachometer_scrapes_total", "Scrapes.")
        .unwrap()
        .inc_by(3);
    let jobs = second.counter_family("jobs", "Jobs.", ["queue"]).unwrap();
    jobs.with(["mail"]).inc();
    first.counter("taken_total", "Taken.").unwrap().inc();
    second.counter("taken_total", "Taken.").unwrap().inc();
    let other = other_with(&second);
    let collector = PrometheusCollector::new(other.clone());
    first.collector(collector).unwrap();
    assert!(encode(&other).contains("tachometer_series{metric=\"jobs\"} 1\n"));
    let text = first.export_prometheus();
    assert!(!text.contains("tachometer_series{"), "{text}");
    for line in [
        "second_total 1\n",
        "taken_total 1\n",
        // The one with a name of the first registry.
        "tachometer_series_refused_total{collector=\"PrometheusCollector\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("tachometer_scrapes_total"), "{text}");
    first
        .counter("tachometer_scrapes_total", "Scrapes.")
        .unwrap()
        .inc();
    let text = first.export_prometheus();
    assert!(text.contains("tachometer_scrapes_total 1\n"), "{text}");
}

#[test]
fn of_a_merged_handle_the_registries_that_are_not_read_already_are_returned() {
    let [first, second, third] = ["first_total", "second_total", "third_total"].map(registry);
    for (queue, registry) in [("mail", &second), ("image", &third)] {
        let jobs = registry.counter_with("jobs_total", "Jobs.", [("queue", queue)]);
        jobs.unwrap().inc();
    }
    let all = Registry::merged([&first, &second, &third]).unwrap();
    let other = other_with(&all);
    first
        .collector(PrometheusCollector::new(other.clone()))
        .unwrap();
    let two = Registry::merged([&first, &second]).unwrap();
    let names_of_all = [
        "first_total",
        "jobs_total",
        "second_total",
        "their_total",
        "third_total",
    ];
    for _ in 0..2 {
        for registry in [&first, &two, &all] {
            let families = from_export(registry);
            assert_eq!(names(&families), names_of_all);
            assert_eq!(families["jobs_total"].series.len(), 2);
        }
        assert_eq!(names(&from_encoder(&other)), names_of_all);
        assert_eq!(names(&from_export(&second)), ["jobs_total", "second_total"]);
        // A single metric is read by itself.
        let metric = first.get("third_total").unwrap();
        assert_eq!(metric.value(), 1.0);
    }
    for registry in [&first, &two, &all] {
        let text = registry.export_prometheus();
        assert!(
            !text.contains("tachometer_invalid_observations_total"),
            "{text}"
        );
        assert_eq!(refused_series(registry), 0.0);
    }
}

#[test]
fn a_merged_read_has_the_metrics_of_its_registries_once() {
    let (first, second) = (registry("first_total"), registry("second_total"));
    let other = other_with(&second);
    let collector = PrometheusCollector::new(other.clone());
    first.collector(collector).unwrap();
    let all = ["first_total", "second_total", "their_total"];
    for _ in 0..2 {
        // The second registry is not locked or left out after a merged read.
        let both = Registry::merged([&first, &second]).unwrap();
        assert_eq!(names(&from_export(&both)), all);
        assert_eq!(names(&from_export(&first)), all);
        let text = both.export_prometheus();
        assert!(
            !text.contains("tachometer_invalid_observations_total"),
            "{text}"
        );
        assert_eq!(refused_series(&both), 0.0);
    }
}

/// A reader of the lock of the `prometheus` crate waits behind a writer that waits. So a thread
/// that took the lock twice, or scrapes that wait for each other, would block forever.
#[test]
fn scrapes_of_both_registries_never_block_each_other_or_registrations() {
    let (registry, other) = (registry("own_total"), other("their_total"));
    connect(&registry, &other);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        thread::scope(|scope| {
            for thread in 0..4 {
                let (registry, other) = (&registry, &other);
                scope.spawn(move || {
                    for _ in 0..300 {
                        assert_eq!(from_encoder(other)["own_total"].series.len(), 1);
                        assert_eq!(exported(registry)["their_total"].series.len(), 1);
                    }
                });
                scope.spawn(move || {
                    for number in 0..300 {
                        let name = format!("new_{thread}_{number}");
                        let counter = IntCounter::new(name, "New.").unwrap();
                        other.register(Box::new(counter.clone())).unwrap();
                        other.unregister(Box::new(counter)).unwrap();
                    }
                });
            }
        });
        sender.send(()).unwrap();
    });
    // Only a deadlock takes that long.
    receiver.recv_timeout(Duration::from_secs(120)).unwrap();
}
