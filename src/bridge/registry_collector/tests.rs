use std::time::Duration;

use prometheus::TextEncoder;

use super::*;

/// Returns what the encoder of the `prometheus` crate writes.
fn text(registry: &prometheus::Registry) -> String {
    let families = registry.gather();
    TextEncoder::new().encode_to_string(&families).unwrap()
}

fn register(other: &prometheus::Registry, registry: &Registry) -> prometheus::Result<()> {
    other.register(Box::new(RegistryCollector::new(registry)))
}

fn with_tenant(tenant: &str) -> Registry {
    let registry = Registry::new().with_labels([("tenant", tenant)]).unwrap();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    registry.gauge_fn("load", "Load.", || 1.5).unwrap();
    registry
}

#[test]
fn a_registry_is_registered_once_through_whichever_handle() {
    let (registry, other) = (Registry::new(), prometheus::Registry::new());
    let labeled = |tenant| registry.clone().with_labels([("tenant", tenant)]).unwrap();
    let (first, second) = (labeled("a"), labeled("b"));
    let third = Registry::new().with_labels([("tenant", "b")]).unwrap();
    let merged = Registry::merged([&third, &second]).unwrap();
    register(&other, &first).unwrap();
    let prefixed = first.clone().with_prefix("app_").unwrap();
    for handle in [&first, &second, &merged, &prefixed] {
        let error = register(&other, handle).unwrap_err();
        assert!(matches!(error, prometheus::Error::AlreadyReg), "{error}");
    }
    // Constant labels with other names are refused, too.
    assert!(register(&other, &registry).is_err());
    register(&other, &third).unwrap();
}

#[test]
fn two_registries_need_different_constant_labels_or_are_merged() {
    let (first, same, second) = (with_tenant("a"), with_tenant("a"), with_tenant("b"));
    let other = prometheus::Registry::new();
    register(&other, &first).unwrap();
    let error = register(&other, &same).unwrap_err();
    assert!(matches!(error, prometheus::Error::AlreadyReg), "{error}");
    register(&other, &second).unwrap();
    let separate = text(&other);
    for line in [
        "jobs_total{tenant=\"a\"} 1\njobs_total{tenant=\"b\"} 1\n",
        "load{tenant=\"a\"} 1.5\nload{tenant=\"b\"} 1.5\n",
        "tachometer_collector_panics_total{tenant=\"a\"} 0\n",
        "tachometer_collector_panics_total{tenant=\"b\"} 0\n",
    ] {
        assert!(separate.contains(line), "{line}: {separate}");
    }
    let other = prometheus::Registry::new();
    let both = Registry::merged([&first, &second]).unwrap();
    register(&other, &both).unwrap();
    let merged = text(&other);
    let line = "jobs_total{tenant=\"a\"} 1\njobs_total{tenant=\"b\"} 1\n";
    assert!(merged.contains(line), "{merged}");
}

#[test]
fn a_collector_of_the_same_registry_unregisters_it() {
    let (registry, other) = (with_tenant("a"), prometheus::Registry::new());
    register(&other, &registry).unwrap();
    registry.gauge("late", "Late.").unwrap().set(3);
    assert!(text(&other).contains("late{tenant=\"a\"} 3\n"));
    let collector = Box::new(RegistryCollector::new(&registry));
    other.unregister(collector).unwrap();
    assert_eq!(text(&other), "");
    register(&other, &registry).unwrap();
    assert!(text(&other).contains("late{tenant=\"a\"} 3\n"));
}

#[test]
fn constant_labels_with_any_name_are_escaped() {
    let registry = Registry::new().with_utf8_names();
    let registry = registry.with_labels([("cloud.région", "eu")]).unwrap();
    registry.counter("rpc.calls", "Calls.").unwrap().inc();
    let other = prometheus::Registry::new();
    register(&other, &registry).unwrap();
    assert!(register(&other, &registry).is_err());
    let text = text(&other);
    assert!(
        text.contains("rpc_calls_total{cloud_r_gion=\"eu\"} 1\n"),
        "{text}"
    );
}

#[test]
fn no_series_expires_by_being_collected() {
    let (registry, other) = (Registry::new(), prometheus::Registry::new());
    let jobs = registry.counter_family("jobs", "Jobs.", ["queue"]).unwrap();
    let jobs = jobs.expire_after(Duration::ZERO);
    jobs.with(["mail"]).inc();
    register(&other, &registry).unwrap();
    for _ in 0..3 {
        assert!(text(&other).contains("jobs_total{queue=\"mail\"} 1\n"));
    }
    for _ in 0..2 {
        let (mut reader, delivery) = registry.reader_for_delivery();
        reader.by_ref().for_each(drop);
        delivery.complete();
    }
    assert!(!text(&other).contains("jobs_total{"));
}

#[test]
fn debug_output_contains_no_label() {
    let collector = RegistryCollector::new(&with_tenant("secret"));
    let debug = format!("{collector:?}");
    assert!(debug.starts_with("RegistryCollector"), "{debug}");
    assert!(!debug.contains("secret"), "{debug}");
}
