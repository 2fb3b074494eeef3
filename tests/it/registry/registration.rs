//! Registering, finding and resetting metrics.

use std::time::Duration;

use tachometer::snapshot::{Kind, SeriesValue};
use tachometer::{Buckets, Counter, Gauge, Histogram, Registry};

#[test]
fn registering_again_returns_the_existing_metric_with_its_first_help() {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs done.").unwrap().inc();
    registry.counter("jobs", "Something else.").unwrap().inc();
    registry.counter("jobs", "").unwrap().inc();
    let jobs = registry.get("jobs").unwrap();
    assert_eq!(
        (jobs.value(), jobs.help(), jobs.series()),
        (3.0, "Jobs done.", 1)
    );
}

#[test]
fn a_counter_is_found_by_the_name_that_it_has_in_a_scrape() {
    let registry = Registry::new();
    let name = |name: &str| registry.get(name).map(|metric| metric.name().to_owned());
    registry.counter("jobs", "").unwrap();
    registry.counter("mails_total", "").unwrap();
    registry.gauge("queue", "").unwrap();
    let utf8 = registry.clone().with_utf8_names();
    utf8.counter("http.requests", "").unwrap();
    registry
        .clone()
        .with_prefix("shop_")
        .unwrap()
        .counter("sales", "")
        .unwrap();
    for (name_in_query, found) in [
        ("jobs", Some("jobs")),
        ("jobs_total", Some("jobs")),
        ("mails_total", Some("mails_total")),
        ("http.requests_total", Some("http.requests")),
        ("shop_sales_total", Some("shop_sales")),
        // These are other names of the same scrape.
        ("mails", None),
        ("jobs_created", None),
        ("queue_total", None),
        ("http_requests_total", None),
        ("tachometer_collector_panics_total", None),
    ] {
        assert_eq!(name(name_in_query).as_deref(), found, "{name_in_query}");
    }
    let shop = registry.clone().with_prefix("shop_").unwrap();
    assert_eq!(shop.get("sales_total").unwrap().name(), "shop_sales");
}

#[test]
fn label_names_are_a_set_whose_order_does_not_matter() {
    let registry = Registry::new();
    let one = registry
        .counter_family("mails", "", ["kind", "result"])
        .unwrap();
    let other = registry
        .counter_family("mails", "", ["result", "kind"])
        .unwrap();
    one.with(["welcome", "sent"]).inc();
    other.with(["sent", "welcome"]).inc();
    let labels = [("result", "sent"), ("kind", "welcome")];
    registry.counter_with("mails", "", labels).unwrap().inc();
    let mails = registry.get("mails").unwrap();
    assert_eq!((mails.value(), mails.series()), (3.0, 1));
    assert_eq!(mails.label_names(), ["kind", "result"]);
}

#[test]
fn label_sets_whose_joined_values_are_equal_are_different_series() {
    let registry = Registry::new();
    let family = registry.gauge_family("g", "", ["a", "b"]).unwrap();
    family.with(["x", "yz"]).set(1);
    family.with(["xy", "z"]).set(2);
    family.with(["xyz", ""]).set(3);
    family.with(["", "xyz"]).set(4);
    family.with(["x\",b=\"yz", ""]).set(5);
    assert_eq!(registry.get("g").unwrap().series(), 5);
    assert_eq!(family.with(["x", "yz"]).get(), 1.0);
}

#[test]
fn a_metric_without_a_name_counts_and_is_exported_after_registration() {
    let registry = Registry::new();
    let (hits, size, seconds) = (
        Counter::new(),
        Gauge::new(),
        Histogram::with_buckets(Buckets::new(&[1.0]).unwrap()),
    );
    hits.inc_by(2);
    registry.register("hits", "Hits.", &hits).unwrap();
    registry.register("size", "Size.", &size).unwrap();
    registry.register("seconds", "Seconds.", &seconds).unwrap();
    hits.inc();
    size.set(9);
    seconds.observe_duration(Duration::from_millis(1_500));
    let value = |name| registry.get(name).unwrap().value();
    assert_eq!(
        (value("hits"), value("size"), value("seconds")),
        (3.0, 9.0, 1.0)
    );
    // Finding by name returns the same metric.
    registry.counter("hits", "").unwrap().inc();
    assert_eq!(hits.get(), 4.0);
    assert_eq!(registry.histogram("seconds", "").unwrap().stats().sum, 1.5);
}

#[test]
fn all_metrics_are_listed_by_name_and_reset_together() {
    let registry = Registry::new();
    let family = registry.counter_family("b", "", ["x"]).unwrap();
    family.with(["1"]).inc();
    family.with(["2"]).inc_by(0.5);
    let gauge = registry.gauge("a", "").unwrap();
    gauge.set(-3);
    let histogram = registry.histogram("c", "").unwrap();
    histogram.observe(1.0);
    let kinds: Vec<_> = registry
        .metrics()
        .iter()
        .map(|m| (m.name().to_owned(), m.kind()))
        .collect();
    let named = |name: &str, kind| (name.to_owned(), kind);
    assert_eq!(
        kinds,
        [
            named("a", Kind::Gauge),
            named("b", Kind::Counter),
            named("c", Kind::Histogram)
        ]
    );
    assert_eq!(registry.get("b").unwrap().value(), 1.5);

    registry.reset_all();
    assert!(
        registry
            .metrics()
            .iter()
            .all(|metric| metric.value() == 0.0)
    );
    // The handles go on counting.
    family.with(["1"]).inc();
    assert_eq!(registry.get("b").unwrap().value(), 1.0);
    assert!(registry.get("d").is_none());
}

#[test]
fn a_handle_returns_its_labels_and_value() {
    let registry = Registry::new();
    let counter = registry.counter_with("c", "", [("a", "x\"y")]).unwrap();
    counter.inc_by(1.5);
    let sample = counter.snapshot();
    let pairs: Vec<_> = sample.labels.pairs().collect();
    assert_eq!(pairs, [("a".into(), "x\"y".into())]);
    assert_eq!(sample.value, SeriesValue::Counter(1.5));

    let histogram = Histogram::new();
    assert!(histogram.percentile(50.0).unwrap_err().is_empty_histogram());
    histogram.observe(0.3);
    let SeriesValue::Histogram(stats) = histogram.snapshot().value else {
        panic!("a histogram's value is a histogram");
    };
    assert_eq!(
        (stats.count, stats.min, stats.max, stats.mean),
        (1, 0.3, 0.3, 0.3)
    );
    assert_eq!(stats.buckets.last(), Some(&(f64::INFINITY, 1)));
    assert_eq!(histogram.percentile(95.0), Ok(0.3));
}
