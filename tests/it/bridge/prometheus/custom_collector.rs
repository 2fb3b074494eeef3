//! Collectors of the `prometheus` crate that return whatever a closure returns.

use std::collections::HashMap;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

/// A collector that calls a closure.
struct Custom<F> {
    desc: Desc,
    families: F,
}

impl<F: Fn() -> Vec<MetricFamily> + Send + Sync> Collector for Custom<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.families)()
    }
}

/// Registers a collector that returns the families of a closure.
pub(super) fn register(
    registry: &prometheus::Registry,
    name: &str,
    families: impl Fn() -> Vec<MetricFamily> + Send + Sync + 'static,
) {
    let labels = HashMap::new();
    let desc = Desc::new(name.to_owned(), "Custom.".to_owned(), Vec::new(), labels).unwrap();
    registry
        .register(Box::new(Custom { desc, families }))
        .unwrap();
}

/// Returns a registry that returns these families.
pub(super) fn registry_of(families: Vec<MetricFamily>) -> prometheus::Registry {
    let registry = prometheus::Registry::new();
    register(&registry, "custom", move || families.clone());
    registry
}

pub(super) fn family(name: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help("Custom.".to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn metric(labels: &[(&str, &str)]) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

pub(super) fn counter(labels: &[(&str, &str)], value: f64) -> Metric {
    let (mut metric, mut counter) = (metric(labels), Counter::default());
    counter.set_value(value);
    metric.set_counter(counter);
    metric
}

pub(super) fn gauge(labels: &[(&str, &str)], value: f64) -> Metric {
    let (mut metric, mut gauge) = (metric(labels), Gauge::default());
    gauge.set_value(value);
    metric.set_gauge(gauge);
    metric
}

/// Returns a histogram with these bounds and cumulative counts.
pub(super) fn histogram(
    labels: &[(&str, &str)],
    buckets: &[(f64, u64)],
    count: u64,
    sum: f64,
) -> Metric {
    let (mut metric, mut histogram) = (metric(labels), Histogram::default());
    let bucket = |(bound, count): &(f64, u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*count);
        bucket
    };
    histogram.set_bucket(buckets.iter().map(bucket).collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    metric.set_histogram(histogram);
    metric
}
