//! Removal of series, and handles to removed series.

use std::thread;

use tachometer::Registry;

use crate::support::read::{series, sum};

#[test]
fn a_removed_series_is_gone_until_its_handle_is_used_and_then_begins_at_zero() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let histograms = registry.histogram_family("h", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, histogram, gauge) = (
        counters.with(["a"]),
        histograms.with(["a"]),
        gauges.with(["a"]),
    );
    for round in 1..=2 {
        for _ in 0..10_000 {
            counter.inc();
            histogram.observe(0.5);
        }
        gauge.set(7);
        assert_eq!(series(&registry), 3, "round {round}");
        assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
        assert_eq!(series(&registry), 0);
        assert!(!counters.remove(["a"]) && !histograms.remove(["a"]) && !gauges.remove(["a"]));
        assert_eq!(registry.get("c").unwrap().value(), 0.0);
        assert_eq!(registry.get("c").unwrap().series(), 0);

        // Through the kept handles.
        counter.inc_by(0.5);
        histogram.observe(0.25);
        gauge.set(0);
        assert_eq!(series(&registry), 3);
        assert_eq!(sum(&registry, "c", &[("x", "a")]), 0.5);
        assert_eq!(histogram.stats().sum, 0.25);
    }
}

#[test]
fn requesting_a_removed_series_creates_it_again_at_zero() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    for value in ["plain", "with \"quotes\" and \\"] {
        let counter = counters.with([value]);
        counter.inc();
        gauges.with([value]).set(3);
        assert!(counters.remove([value]) && gauges.remove([value]));
        assert_eq!(series(&registry), 0);
        // The same series, not another of its name.
        counters.with([value]);
        gauges.with([value]);
        assert_eq!(series(&registry), 2);
        counter.inc();
        assert_eq!(counters.with([value]).get(), 1.0);
        assert_eq!(gauges.with([value]).get(), 0.0);
        assert!(counters.remove([value]) && gauges.remove([value]));
    }
    assert!(!counters.remove(["never there"]));
}

#[test]
fn adding_0_does_not_revive_a_removed_counter_and_setting_a_gauge_to_0_does() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, gauge) = (counters.with(["a"]), gauges.with(["a"]));
    counters.remove(["a"]);
    gauges.remove(["a"]);
    counter.inc_by(0);
    assert_eq!(series(&registry), 0);
    gauge.inc();
    gauge.dec();
    assert_eq!(series(&registry), 1);
}

#[test]
fn a_series_that_was_used_again_survives_a_reset() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let histograms = registry.histogram_family("h", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, histogram, gauge) = (
        counters.with(["a"]),
        histograms.with(["a"]),
        gauges.with(["a"]),
    );
    assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
    registry.reset_all();
    assert_eq!(series(&registry), 0);
    counter.inc();
    histogram.observe(0.5);
    gauge.inc();
    registry.reset_all();
    assert_eq!(series(&registry), 3);

    assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
    counter.inc();
    histogram.observe(0.5);
    gauge.inc();
    counter.reset();
    histogram.reset();
    gauge.reset();
    assert_eq!(series(&registry), 3);
}

#[test]
fn increments_that_race_with_removals_are_counted_at_most_once() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    let turns = 20_000_u32;
    thread::scope(|scope| {
        for _ in 0..2 {
            let handle = family.with(["a"]);
            let family = &family;
            scope.spawn(move || {
                for turn in 0..turns {
                    if turn % 2 == 0 {
                        handle.inc();
                    } else {
                        family.with(["a"]).inc();
                    }
                }
            });
        }
        for _ in 0..200 {
            family.remove(["a"]);
            assert!(sum(&registry, "c", &[]) <= f64::from(2 * turns));
        }
    });
    // From here on nothing is removed, and nothing may be lost or come twice.
    let before = sum(&registry, "c", &[]);
    thread::scope(|scope| {
        for _ in 0..2 {
            let handle = family.with(["a"]);
            scope.spawn(move || (0..turns).for_each(|_| handle.inc()));
        }
    });
    assert_eq!(sum(&registry, "c", &[]), before + f64::from(2 * turns));
}
