//! Each operation of a handle.

use metrics::{counter, gauge, histogram};
use tachometer::bridge::MetricsRecorder;
use tachometer::{Buckets, Registry};

use super::{record, record_with};
use crate::support::compare_exports::check_all;
use crate::support::observed::observed;
use crate::support::read::sum;

#[test]
fn every_operation_of_a_handle_is_in_the_scrape() {
    let registry = Registry::new();
    record(&registry, || {
        let jobs = counter!("jobs", "queue" => "mail");
        jobs.increment(2);
        jobs.increment(3);
        counter!("bytes_total").absolute(70);
        let depth = gauge!("depth");
        depth.set(5.0);
        depth.increment(2.5);
        depth.decrement(1.0);
        let seconds = histogram!("seconds", "queue" => "mail");
        seconds.record(0.2);
        seconds.record_many(0.03, 4);
        seconds.record(std::time::Duration::from_millis(7));
    });
    let text = registry.export_prometheus();
    for line in [
        "# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 5\n",
        "bytes_total 70\n",
        "# TYPE depth gauge\ndepth 6.5\n",
        "# TYPE seconds histogram\n",
        "seconds_bucket{queue=\"mail\",le=\"0.01\"} 1\n",
        "seconds_bucket{queue=\"mail\",le=\"0.05\"} 5\n",
        "seconds_count{queue=\"mail\"} 6\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let total = observed(&registry, "seconds", &[("queue", "mail")]);
    assert!((total - 0.327).abs() < 1e-12, "{total}");
    check_all(&registry);
    let jobs = registry.get("jobs").unwrap();
    assert_eq!((jobs.series(), jobs.value()), (1, 5.0));
    assert_eq!(jobs.label_names(), ["queue"]);
}

#[test]
fn an_absolute_counter_is_the_greatest_value() {
    let registry = Registry::new();
    record(&registry, || {
        let counter = counter!("c");
        for value in [5, 3, 9, 9, 1] {
            counter.absolute(value);
        }
        counter.increment(2);
        counter.absolute(10);
        counter.absolute(u64::MAX);
    });
    assert_eq!(sum(&registry, "c", &[]), u64::MAX as f64);
}

#[test]
fn values_that_are_not_numbers_are_counted_as_invalid_and_change_no_sum() {
    let registry = Registry::new();
    record(&registry, || {
        let histogram = histogram!("h");
        histogram.record(1.0);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            histogram.record(value);
            histogram.record_many(value, 1_000);
            // More than a `u32`, where `usize` has more bits.
            histogram.record_many(value, usize::MAX >> 30);
            histogram.record_many(value, 0);
            gauge!("g").increment(value);
            gauge!("g").decrement(value);
        }
        histogram.record_many(2.0, 0);
        histogram.record_many(2.0, usize::MAX);
        histogram.record(-3.0);
        histogram.record_many(f64::MAX, 1_000);
        gauge!("g").increment(4.0);
        gauge!("last").set(f64::NAN);
    });
    assert_eq!(sum(&registry, "g", &[]), 4.0);
    let invalid = |metric| {
        let labels = [("metric", metric)];
        sum(&registry, "tachometer_invalid_observations_total", &labels)
    };
    assert_eq!((invalid("g"), invalid("h")), (6.0, 10.0));
    let text = registry.export_prometheus();
    assert!(text.contains("h_count 1002\n"), "{text}");
    assert!(text.contains("last NaN\n"), "{text}");
    check_all(&registry);
}

#[test]
fn a_histogram_has_the_buckets_of_the_recorder_or_those_of_its_name() {
    let registry = Registry::new();
    let buckets = |bounds: &[f64]| Buckets::new(bounds).unwrap();
    let recorder = MetricsRecorder::new()
        .registry(&registry)
        .buckets(buckets(&[1.0, 2.0]))
        .buckets_for("response.bytes", buckets(&[100.0]).native());
    record_with(&recorder, || {
        histogram!("seconds").record(1.5);
        histogram!("response.bytes").record(150.0);
        histogram!("response.bytes", "route" => "/").record(50.0);
    });
    let text = registry.export_prometheus();
    for line in [
        "seconds_bucket{le=\"1.0\"} 0\nseconds_bucket{le=\"2.0\"} 1\nseconds_bucket{le=\"+Inf\"} 1\n",
        "response_bytes_bucket{le=\"100.0\"} 0\nresponse_bytes_bucket{le=\"+Inf\"} 1\n",
        "response_bytes_bucket{route=\"/\",le=\"100.0\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    check_all(&registry);
}
