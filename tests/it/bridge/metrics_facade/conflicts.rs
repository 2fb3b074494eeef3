//! Metrics that are refused.

use std::sync::Arc;

use metrics::{Label, counter, describe_counter, gauge, histogram};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

use super::{record, record_with};
use crate::support::compare_exports::check_all;
use crate::support::read::sum;
use crate::support::warnings::warnings;

#[test]
fn another_kind_under_one_name_records_nothing_and_is_warned_of_once() {
    let registry = Registry::new();
    let warned = warnings(
        || {},
        || {
            record(&registry, || {
                counter!("x").increment(1);
                for turn in 0..3 {
                    gauge!("x").set(5.0);
                    histogram!("x", "turn" => turn.to_string()).record(5.0);
                    counter!("x").increment(1);
                    // Its name would be that of a line of a histogram.
                    histogram!("h").record(1.0);
                    gauge!("h_count").set(9.0);
                }
            });
        },
    );
    assert_eq!(sum(&registry, "x", &[]), 4.0);
    assert_eq!(registry.get("h").unwrap().value(), 3.0);
    check_all(&registry);
    assert_eq!(warned.len(), 2, "{warned:?}");
    for part in ["\"x\"", "counter", "gauge"] {
        assert!(warned[0].contains(part), "{warned:?}");
    }
    assert!(warned[1].contains("\"h_count\""), "{warned:?}");
    assert_eq!(refused(&registry), 9.0);
}

#[test]
fn a_name_of_the_application_stays_with_it() {
    let registry = Registry::new();
    let jobs = registry.counter("jobs", "Jobs.").unwrap();
    jobs.inc();
    registry.gauge_fn("age", "Age.", || 3.0).unwrap();
    let warned = warnings(
        || {},
        || {
            record(&registry, || {
                counter!("jobs").increment(7);
                counter!("jobs_total").increment(7);
                gauge!("age").set(7.0);
                gauge!("tachometer_series").set(7.0);
            });
        },
    );
    assert_eq!(warned.len(), 4, "{warned:?}");
    for warning in &warned[..2] {
        for part in ["the metric \"jobs\" is already registered", "`metrics`"] {
            assert!(warning.contains(part), "{warned:?}");
        }
    }
    let text = registry.export_prometheus();
    assert!(text.contains("\njobs_total 1\n"), "{text}");
    assert!(text.contains("\nage 3\n"), "{text}");
    assert_eq!(refused(&registry), 4.0);
    check_all(&registry);
}

#[test]
fn an_error_says_that_a_name_belongs_to_a_library() {
    let registry = Registry::new();
    record(&registry, || counter!("jobs", "a" => "1").increment(7));
    let errors = [
        registry.counter("jobs", "").unwrap_err(),
        registry.counter_family("jobs", "", ["a"]).unwrap_err(),
        registry.gauge("jobs", "").unwrap_err(),
        registry
            .register("jobs", "", &tachometer::Counter::new())
            .unwrap_err(),
        registry.counter_fn("jobs", "", || 1).unwrap_err(),
        registry.counter("jobs_total", "").unwrap_err(),
    ];
    for error in &errors {
        assert!(error.is_conflict(), "{error}");
        let text = error.to_string();
        for part in ["\"jobs\"", "a library that uses the crate `metrics`"] {
            assert!(text.contains(part), "{text}");
        }
    }
    // A handle with other labels may use the name.
    let tenant = registry.clone().with_labels([("tenant", "a")]).unwrap();
    assert!(tenant.counter("jobs", "").unwrap_err().is_conflict());
    assert_eq!(registry.get("jobs").unwrap().value(), 7.0);
}

#[test]
fn handles_with_other_constant_labels_share_a_name_with_a_library() {
    let registry = Registry::new();
    let tenants = ["a", "b"].map(|tenant| {
        let labels = [("tenant", tenant)];
        registry.clone().with_labels(labels).unwrap()
    });
    record(&tenants[0], || counter!("jobs", "x" => "1").increment(1));
    record(&tenants[1], || counter!("jobs_total").increment(2));
    let text = registry.export_prometheus();
    let series = "jobs_total{tenant=\"a\",x=\"1\"} 1\njobs_total{tenant=\"b\"} 2\n";
    assert!(text.contains(series), "{text}");
    record(&tenants[1], || gauge!("jobs").set(2.0));
    assert_eq!(refused(&registry), 1.0);
    check_all(&registry);
}

#[test]
fn warnings_have_no_label_value_and_are_logged_outside_every_lock() {
    let registry = Registry::new();
    let recorder = Arc::new(
        MetricsRecorder::new()
            .registry(&registry)
            .label_limit(1)
            .name_limit(4),
    );
    let subscriber = (Arc::clone(&recorder), registry.clone());
    let each = move || {
        let (recorder, registry) = &subscriber;
        record_with(recorder, || {
            counter!("warnings").increment(1);
            counter!("c", "user" => "secret-1").increment(1);
            gauge!("c").set(1.0);
            describe_counter!("c", "Described by the subscriber.");
        });
        assert!(registry.export_prometheus().contains("warnings_total"));
    };
    let warned = warnings(each, || {
        record_with(&recorder, || {
            for user in ["secret-1", "secret-2", "secret-3"] {
                counter!("c", "user" => user).increment(1);
                gauge!("c", "user" => user).set(1.0);
                let labels = (0..25).map(|label| Label::new(label.to_string(), user));
                counter!("labels", labels.collect::<Vec<_>>()).increment(1);
            }
            for name in 0..3 {
                counter!(format!("name_{name}"), "user" => "secret-5").increment(1);
            }
        });
    });
    // The gauge, the labels, the overflow and the last two names.
    assert_eq!(warned.len(), 5, "{warned:?}");
    assert_eq!(sum(&registry, "warnings", &[]), 5.0);
    assert!(!warned.concat().contains("secret"), "{warned:?}");
    assert_eq!(sum(&registry, "c", &[]), 8.0);
}

/// Returns how many series were refused.
fn refused(registry: &Registry) -> f64 {
    let source = [("collector", "metrics")];
    sum(registry, "tachometer_series_refused_total", &source)
}
