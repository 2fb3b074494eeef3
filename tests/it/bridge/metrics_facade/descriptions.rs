//! Help texts.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use tachometer::Registry;

use super::record;
use crate::support::compare_exports::check_all;

fn help(registry: &Registry, name: &str) -> String {
    let metric = registry.get(name).unwrap();
    metric.help().to_owned()
}

#[test]
fn a_help_text_may_come_before_or_after_the_first_use_and_the_first_one_counts() {
    let registry = Registry::new();
    record(&registry, || {
        describe_counter!("early", "Early.");
        counter!("early").increment(1);
        counter!("late", "x" => "1").increment(1);
        assert_eq!(help(&registry, "late"), "");
        check_all(&registry);
        describe_counter!("late", "");
        describe_counter!("late", "Late.");
        describe_counter!("late", "Too late.");
        describe_counter!("early", "Too late.");
        counter!("late").increment(1);
        // The other kinds.
        gauge!("depth").set(1.0);
        describe_gauge!("depth", "Depth.");
        describe_histogram!("seconds", "Seconds.");
        histogram!("seconds").record(1.0);
        // It belongs to no metric of this kind.
        describe_gauge!("late", "A gauge.");
    });
    for (name, text) in [
        ("early", "Early."),
        ("late", "Late."),
        ("depth", "Depth."),
        ("seconds", "Seconds."),
    ] {
        assert_eq!(help(&registry, name), text, "{name}");
    }
    let text = registry.export_prometheus();
    assert!(text.contains("# HELP late_total Late.\n"), "{text}");
    check_all(&registry);
}

#[test]
fn a_help_text_may_contain_anything_and_is_cut_off_if_it_is_long() {
    let registry = Registry::new();
    let hostile = "a\\b\n# TYPE evil counter\nevil 1\n\"\r\0ü";
    record(&registry, || {
        describe_counter!("hostile", hostile);
        counter!("hostile").increment(1);
        describe_counter!("long", "ü".repeat(100_000));
        counter!("long").increment(1);
    });
    assert_eq!(help(&registry, "hostile"), hostile);
    assert_eq!(help(&registry, "long").len(), 4_096);
    check_all(&registry);
}

#[test]
fn a_metric_that_is_only_described_is_not_exported() {
    let registry = Registry::new();
    record(&registry, || describe_counter!("unused", "Unused."));
    assert!(registry.get("unused").is_none());
}
