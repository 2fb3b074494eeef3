//! Names of metrics and labels.

use metrics::{Label, counter, describe_counter, describe_gauge, gauge, histogram};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

use super::{record, record_with};
use crate::support::compare_exports::check_all;
use crate::support::warnings::warnings;

/// Records a counter with these labels, and returns its series in the scrape.
fn exported(registry: &Registry, labels: &[(&str, &str)]) -> String {
    let label = |(name, value): &(&str, &str)| Label::new((*name).to_owned(), (*value).to_owned());
    let labels: Vec<Label> = labels.iter().map(label).collect();
    let recorder = MetricsRecorder::new().registry(registry);
    record_with(&recorder, || {
        // The second time through the cache.
        counter!("c", labels.clone()).increment(1);
        counter!("c", labels).increment(1);
    });
    let text = registry.export_prometheus();
    let lines = text.lines().filter(|line| line.starts_with("c_total"));
    check_all(registry);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_label_gets_a_name_that_prometheus_reads() {
    for (labels, series) in [
        (&[][..], "c_total 2"),
        (&[("a", "1")], "c_total{a=\"1\"} 2"),
        // Sorted by name.
        (&[("b", "2"), ("a", "1")], "c_total{a=\"1\",b=\"2\"} 2"),
        // An empty value is the same as no label.
        (&[("a", ""), ("b", "2")], "c_total{b=\"2\"} 2"),
        (&[("a", "")], "c_total 2"),
        // The last value counts.
        (&[("a", "1"), ("a", "2")], "c_total{a=\"2\"} 2"),
        (&[("a", "1"), ("a", "")], "c_total 2"),
        (&[("a-b", "1")], "c_total{a_b=\"1\"} 2"),
        (&[("http.route", "/")], "c_total{http_route=\"/\"} 2"),
        (&[("größe", "1")], "c_total{gr__e=\"1\"} 2"),
        (&[("9a", "1")], "c_total{_a=\"1\"} 2"),
        (&[("", "1")], "c_total{_=\"1\"} 2"),
        (&[("le", "1")], "c_total{exported_le=\"1\"} 2"),
        (&[("quantile", "1")], "c_total{exported_quantile=\"1\"} 2"),
        (&[("__name__", "1")], "c_total{exported_name__=\"1\"} 2"),
        (&[("..x", "1")], "c_total{exported_x=\"1\"} 2"),
        // Names that become the same.
        (
            &[("a.b", "1"), ("a_b", "2"), ("a-b", "3")],
            "c_total{a_b=\"2\",exported_a_b=\"3\",exported_exported_a_b=\"1\"} 2",
        ),
        (
            &[("le", "1"), ("exported_le", "2")],
            "c_total{exported_exported_le=\"1\",exported_le=\"2\"} 2",
        ),
        // Whether a label is renamed does not depend on the value of another.
        (
            &[("a.b", "1"), ("a_b", "")],
            "c_total{exported_a_b=\"1\"} 2",
        ),
        (&[("a", "x\"y\\z\nw")], "c_total{a=\"x\\\"y\\\\z\\nw\"} 2"),
    ] {
        assert_eq!(exported(&Registry::new(), labels), series, "{labels:?}");
    }
}

#[test]
fn a_label_with_the_name_of_a_constant_label_is_renamed() {
    let registry = Registry::new()
        .with_utf8_names()
        .with_labels([("region", "eu"), ("service.name", "shop")])
        .unwrap();
    let labels = [("region", "us"), ("service_name", "cart"), ("a", "1")];
    let series = exported(&registry, &labels);
    let expected = "c_total{region=\"eu\",service_name=\"shop\",a=\"1\",exported_region=\"us\",\
                    exported_service_name=\"cart\"} 2";
    assert_eq!(series, expected);
}

#[test]
fn the_order_of_labels_and_the_path_through_the_cache_do_not_matter() {
    let registry = Registry::new();
    record(&registry, || {
        for _ in 0..3 {
            counter!("c", "a" => "1", "b" => "2").increment(1);
            counter!("c", "b" => "2", "a" => "1").increment(1);
            counter!("c", "b" => "2".to_owned(), "a" => "1", "x" => "").increment(1);
        }
    });
    let text = registry.export_prometheus();
    assert!(text.contains("c_total{a=\"1\",b=\"2\"} 9\n"), "{text}");
    assert_eq!(registry.get("c").unwrap().series(), 1);
}

#[test]
fn series_of_one_metric_may_have_different_labels() {
    let registry = Registry::new();
    record(&registry, || {
        counter!("requests", "method" => "GET").increment(1);
        counter!("requests").increment(2);
        counter!("requests", "code" => "200", "method" => "GET").increment(3);
        counter!("requests", "method" => "PUT").increment(4);
        gauge!("g", "x" => "1").set(1.0);
        histogram!("h").record(1.0);
        histogram!("h", "x" => "1").record(1.0);
    });
    let text = registry.export_prometheus();
    let series = "requests_total{method=\"GET\"} 1\nrequests_total{method=\"PUT\"} 4\n\
                  requests_total 2\nrequests_total{code=\"200\",method=\"GET\"} 3\n";
    assert!(text.contains(series), "{text}");
    check_all(&registry);
    let requests = registry.get("requests").unwrap();
    assert_eq!(requests.label_names(), ["code", "method"]);
    assert_eq!((requests.series(), requests.value()), (4, 10.0));
    registry.reset_all();
    assert_eq!(requests.value(), 0.0);
}

#[test]
fn names_that_become_the_same_share_a_metric() {
    let registry = Registry::new().with_prefix("lib_").unwrap();
    record(&registry, || {
        counter!("a.b").increment(1);
        counter!("a-b").increment(2);
        counter!("a_b").increment(4);
        counter!("a_b_total").increment(8);
        counter!("9x").increment(1);
        counter!("").increment(1);
    });
    let text = registry.export_prometheus();
    for line in ["lib_a_b_total 15\n", "lib__x_total 1\n", "lib___total 1\n"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    check_all(&registry);
}

#[test]
fn a_unit_that_is_described_before_the_first_use_is_appended() {
    for (enabled, names) in [
        (None, ["wait_seconds ", "sent_bytes_total ", "age_seconds "]),
        (
            Some(true),
            ["wait_seconds ", "sent_bytes_total ", "age_seconds "],
        ),
        (Some(false), ["wait ", "sent_total ", "age "]),
    ] {
        let registry = Registry::new();
        let mut recorder = MetricsRecorder::new().registry(&registry);
        if let Some(enabled) = enabled {
            recorder = recorder.unit_suffixes(enabled);
        }
        let run = || {
            record_with(&recorder, || {
                describe_gauge!("wait", metrics::Unit::Seconds, "Time to wait.");
                // The text and the unit in two calls, in both orders.
                describe_counter!("sent", metrics::Unit::Bytes, "");
                describe_counter!("sent", "Sent.");
                describe_gauge!("age", "Age.");
                describe_gauge!("age", metrics::Unit::Seconds, "Too late.");
                gauge!("age").set(1.0);
                gauge!("wait").set(1.0);
                counter!("sent").increment(1);
                // Too late for the name.
                gauge!("late").set(1.0);
                gauge!("late_seconds").set(1.0);
                for _ in 0..2 {
                    describe_gauge!("late", metrics::Unit::Seconds, "Late.");
                    describe_gauge!("late_seconds", metrics::Unit::Seconds, "Late.");
                }
                gauge!("late").set(2.0);
            });
        };
        let messages = warnings(|| {}, run);
        let text = format!("\n{}", registry.export_prometheus());
        assert!(
            text.contains(" Sent.\n") && text.contains(" Age.\n"),
            "{text}"
        );
        for name in names.iter().chain(&["# HELP late Late.\n", "late 2\n"]) {
            assert!(text.contains(&format!("\n{name}")), "{name}\n{text}");
        }
        assert_eq!(
            messages.len(),
            usize::from(enabled != Some(false)),
            "{messages:?}"
        );
        assert!(
            messages
                .iter()
                .all(|message| message.contains("metric=\"late\""))
        );
    }
}
