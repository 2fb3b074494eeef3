//! Conflicts that arise after the registries were merged.

use tachometer::Registry;
use tachometer::testing::Exposition;

use crate::support::read::sum;
use crate::support::warnings::warnings;

#[test]
fn a_series_added_later_to_two_registries_is_left_out_counted_and_warned_of_once() {
    let (one, other) = (Registry::new(), Registry::new());
    let first = one
        .counter_family("jobs_total", "", ["kind", "size"])
        .unwrap();
    let second = other
        .counter_family("jobs_total", "", ["size", "kind"])
        .unwrap();
    first.with(["a", "1"]).inc();
    for size in ["0", "2", "3"] {
        second.with([size, "a"]).inc_by(10);
    }
    let both = Registry::merged([&one, &other]).unwrap();
    assert_eq!(
        both.get("tachometer_invalid_observations_total")
            .map(|_| ()),
        None
    );

    // The same labels, in another order.
    second.with(["1", "a"]).inc_by(100);
    let warned = warnings(
        || {},
        || {
            for reading in 1..=3 {
                let text = both.export_prometheus();
                let lines = text.lines().filter(|line| line.starts_with("jobs_total{"));
                assert_eq!(lines.count(), 4, "{text}");
                assert_eq!(sum(&both, "jobs_total", &[]), 31.0);
                let invalid = "tachometer_invalid_observations_total";
                // Two readings: the text and the sum.
                let counted = sum(&both, invalid, &[("metric", "jobs_total")]);
                assert_eq!(counted, f64::from(3 * reading));
            }
        },
    );
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("jobs_total"), "{warned:?}");
    // A label value may come from a client.
    assert!(!warned[0].contains('1'), "{warned:?}");
    // Each single registry still has all of its series.
    assert_eq!(sum(&other, "jobs_total", &[]), 130.0);
}

#[test]
fn a_metric_that_conflicts_later_is_left_out_and_other_metrics_are_served() {
    let (one, other) = (Registry::new(), Registry::new());
    let both = Registry::merged([&one, &other]).unwrap();
    one.counter("jobs_total", "").unwrap().inc();
    one.gauge("size", "").unwrap().set(1);
    other.gauge("jobs", "").unwrap().set(5);
    other.counter("size", "").unwrap().inc_by(7);
    other.gauge("fine", "").unwrap().set(3);
    let warned = warnings(
        || {},
        || {
            for _ in 0..3 {
                let text = both.export_prometheus();
                let read = Exposition::parse(&text).unwrap();
                assert_eq!(read.value("jobs_total", []), Some(1.0), "{text}");
                assert_eq!(read.value("size", []), Some(1.0), "{text}");
                assert_eq!(read.value("fine", []), Some(3.0), "{text}");
                assert_eq!(read.value("jobs", []), None, "{text}");
                let invalid = "tachometer_invalid_observations_total";
                assert!(
                    read.value(invalid, [("metric", "jobs")]) > Some(0.0),
                    "{text}"
                );
                assert!(
                    read.value(invalid, [("metric", "size")]) > Some(0.0),
                    "{text}"
                );
            }
        },
    );
    assert_eq!(warned.len(), 2, "{warned:?}");
}

#[test]
fn a_metric_that_was_left_out_conflicts_with_no_other() {
    let registries = [Registry::new(), Registry::new(), Registry::new()];
    let merged = Registry::merged(&registries).unwrap();
    registries[0].counter("a", "").unwrap().inc();
    registries[1].histogram("a", "").unwrap().observe(1.0);
    registries[2].gauge("a_sum", "").unwrap().set(5);
    let text = merged.export_prometheus();
    let read = Exposition::parse(&text).unwrap();
    assert_eq!(read.value("a_total", []), Some(1.0), "{text}");
    assert_eq!(read.value("a_sum", []), Some(5.0), "{text}");
}
