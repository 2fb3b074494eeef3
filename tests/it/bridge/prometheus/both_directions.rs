//! A registry of this crate and one of the `prometheus` crate that collect each other.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use prometheus::IntCounter;
use tachometer::Registry;
use tachometer::bridge::{PrometheusCollector, RegistryCollector};

use crate::bridge::prometheus::from_prometheus::{exported, refused_series};
use crate::bridge::prometheus::their_text::{Families, encode, ours, theirs};

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
            names(&theirs(&other)),
            ["computed", "own_total", "their_total"]
        );
        assert_eq!(
            names(&ours(&registry)),
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
    assert_eq!(names(&ours(&first)), all);
    assert_eq!(refused_series(&first), 0.0);
    // The thread could hold the lock of the third registry, too.
    assert_eq!(names(&theirs(&other)), ["first_total", "their_total"]);
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
        assert_eq!(names(&theirs(&other)), all);
        assert_eq!(names(&ours(&first)), all);
        assert_eq!(names(&ours(&second)), all);
    }
    assert_eq!(refused_series(&first) + refused_series(&second), 0.0);
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
                        assert_eq!(theirs(other)["own_total"].series.len(), 1);
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
