//! Limits, which hold whatever a library does.

use metrics::{Label, counter, describe_counter, gauge};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

use super::{record, record_with};
use crate::support::compare_exports::check_all;
use crate::support::read::sum;
use crate::support::warnings::warnings;

#[test]
fn values_over_the_limit_overflow_and_every_one_is_counted() {
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry).label_limit(10);
    record_with(&recorder, || {
        for turn in 0..3_u64 {
            for user in 0..100_u64 {
                counter!("c", "user" => user.to_string()).increment(user + turn);
            }
        }
        counter!("c", "long" => "x".repeat(300)).increment(1);
    });
    let total: u64 = (0..3).map(|turn| 4_950 + 100 * turn).sum();
    assert_eq!(sum(&registry, "c", &[]), (total + 1) as f64);
    let overflow: u64 = (0..3).map(|turn| 4_905 + 90 * turn).sum();
    assert_eq!(
        sum(&registry, "c", &[("user", "_overflow")]),
        overflow as f64
    );
    assert_eq!(sum(&registry, "c", &[("long", "_overflow")]), 1.0);
    assert_eq!(registry.get("c").unwrap().series(), 12);
    let overflows = sum(
        &registry,
        "tachometer_series_overflow_total",
        &[("metric", "c")],
    );
    assert_eq!(overflows, 271.0);
    check_all(&registry);
}

#[test]
fn the_default_limit_is_that_of_a_family() {
    let registry = Registry::new();
    record(&registry, || {
        for user in 0..2_100 {
            counter!("c", "user" => user.to_string()).increment(1);
        }
    });
    assert_eq!(registry.get("c").unwrap().series(), 2_001);
    assert_eq!(sum(&registry, "c", &[]), 2_100.0);
}

#[test]
fn a_metric_has_at_most_sixteen_lists_of_label_names() {
    let registry = Registry::new();
    let warned = warnings(
        || {},
        || {
            record(&registry, || {
                for list in 0..20 {
                    let label = Label::new(format!("label_{list}"), "x");
                    counter!("c", vec![label]).increment(1);
                }
                // A list that exists.
                counter!("c", "label_3" => "x").increment(1);
            });
        },
    );
    assert_eq!(sum(&registry, "c", &[]), 17.0);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("16"), "{warned:?}");
    check_all(&registry);
}

#[test]
fn names_are_limited() {
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry).name_limit(3);
    let warned = warnings(
        || {},
        || {
            record_with(&recorder, || {
                for turn in 0..2 {
                    for name in 0..5 {
                        counter!(format!("c_{name}")).increment(1);
                        describe_counter!(format!("described_{turn}_{name}"), "x");
                    }
                }
                // Another kind.
                gauge!("g").set(1.0);
            });
        },
    );
    let counters = |metric: &tachometer::Metric| metric.name().starts_with("c_");
    let registered = registry.metrics().into_iter().filter(counters).count();
    // Descriptions count as well.
    assert_eq!(registered, 2);
    assert_eq!(sum(&registry, "g", &[]), 1.0);
    assert_eq!(warned.len(), 3, "{warned:?}");
    assert!(warned[0].contains("name_limit"), "{warned:?}");
}

#[test]
fn names_that_are_too_long_and_too_many_labels_are_refused() {
    let registry = Registry::new();
    let labels = |count: usize| {
        let labels = (0..count).map(|label| Label::new(format!("l{label}"), "x"));
        labels.collect::<Vec<_>>()
    };
    let warned = warnings(
        || {},
        || {
            record(&registry, || {
                counter!("x".repeat(257)).increment(1);
                counter!("ok", labels(24)).increment(1);
                counter!("labels", labels(25)).increment(1);
                counter!("label", vec![Label::new("x".repeat(257), "x")]).increment(1);
                counter!("_total").increment(1);
            });
        },
    );
    assert_eq!(warned.len(), 4, "{warned:?}");
    assert!(
        warned.iter().all(|warning| warning.len() < 1_000),
        "{warned:?}"
    );
    assert_eq!(sum(&registry, "ok", &[]), 1.0);
    check_all(&registry);
}
