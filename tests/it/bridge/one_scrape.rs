//! Metrics of this crate, of the `metrics` facade and of the `prometheus` crate in one scrape.

use std::collections::BTreeMap;
use std::process::Command;

use axum::Router;
use axum::http::Version;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, TextEncoder};
use tachometer::bridge::{MetricsRecorder, PrometheusCollector, RegistryCollector};
use tachometer::export::Format;
use tachometer::{MetricsRouter, Registry};

use crate::support::compare_exports::{check_all, read};
use crate::support::loopback::{Caller, Server};
use crate::support::parse::Family;
use crate::support::program::{filter, promtool};
use crate::support::prometheus::Prometheus;
use crate::support::read::sum;

/// Returns a registry with all bridges, and a registry of the other crate that exports it.
fn bridged() -> (Registry, prometheus::Registry) {
    let registry = Registry::new();
    let orders = registry.counter_family("orders", "Orders.", ["kind"]);
    orders.unwrap().with(["book"]).inc_by(3);
    let seconds = registry.histogram("order_seconds", "Durations.").unwrap();
    seconds.observe(0.25);

    let recorder = MetricsRecorder::new().registry(&registry);
    metrics::with_local_recorder(&recorder, || {
        metrics::describe_counter!("facade.calls", "Calls.");
        metrics::describe_gauge!("facade.load", "Load.");
        metrics::describe_histogram!("facade.seconds", "Durations.");
        metrics::counter!("facade.calls", "method" => "get").increment(4);
        metrics::gauge!("facade.load").set(-1.5);
        metrics::histogram!("facade.seconds", "method" => "get").record(0.5);
    });

    let other = prometheus::Registry::new();
    let jobs = IntCounterVec::new(Opts::new("lib_jobs_total", "Jobs."), &["queue"]).unwrap();
    jobs.with_label_values(&["mail"]).inc_by(5);
    other.register(Box::new(jobs)).unwrap();
    let options = HistogramOpts::new("lib_seconds", "Durations.").buckets(vec![0.5, 2.0]);
    let seconds = HistogramVec::new(options, &["queue"]).unwrap();
    seconds.with_label_values(&["mail"]).observe(0.75);
    other.register(Box::new(seconds)).unwrap();
    registry
        .collector(PrometheusCollector::new(other.clone()))
        .unwrap();
    other
        .register(Box::new(RegistryCollector::new(&registry)))
        .unwrap();
    (registry, other)
}

const NAMES: [&str; 7] = [
    "facade_calls_total",
    "facade_load",
    "facade_seconds",
    "lib_jobs_total",
    "lib_seconds",
    "order_seconds",
    "orders_total",
];

fn names(families: &[Family]) -> Vec<&str> {
    let names = families.iter().map(|family| &*family.name);
    names
        .filter(|name| !name.starts_with("tachometer_"))
        .collect()
}

#[test]
fn metrics_of_all_libraries_are_in_each_format_and_pass_the_parsers() {
    let (registry, other) = bridged();
    check_all(&registry);
    let text = registry.export_prometheus();
    assert_eq!(names(&read(Format::Text, text.as_bytes())), NAMES);
    let export = registry
        .export(Format::OpenMetrics)
        .created_timestamps(true);
    let families = read(Format::OpenMetrics, &export.to_bytes());
    assert_eq!(
        names(&families),
        NAMES.map(|name| name.strip_suffix("_total").unwrap_or(name))
    );
    let text_of_other = TextEncoder::new()
        .encode_to_string(&other.gather())
        .unwrap();
    assert_eq!(names(&read(Format::Text, text_of_other.as_bytes())), NAMES);
    for text in [text, text_of_other] {
        if promtool() {
            filter(Command::new("promtool").args(["check", "metrics"]), &text);
        }
    }
    assert_eq!(sum(&registry, "tachometer_series_refused_total", &[]), 0.0);
}

/// Starts a server with the metrics, and a second one whose scrape the other crate writes.
#[tokio::test]
async fn a_prometheus_scrapes_the_metrics_of_all_libraries_from_both_registries() {
    let (registry, other) = bridged();
    let metrics = MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics();
    let encode = async move || {
        TextEncoder::new()
            .encode_to_string(&other.gather())
            .unwrap()
    };
    let encoded = axum::routing::get(encode);
    let servers = [
        Router::new().nest("/metrics", metrics.build()),
        Router::new().route("/metrics", encoded),
    ];
    for app in servers {
        let server = Server::start(app).await;
        let scrape = format!("http://{}/metrics", server.address);
        assert!(Caller::new(Version::HTTP_11).get(&scrape).await.is_ok());
        let Some(prometheus) = Prometheus::start(&server.address.to_string()).await else {
            return;
        };
        let expected = BTreeMap::from([
            ("orders_total{kind=\"book\"}", 3.0),
            ("order_seconds_count", 1.0),
            ("facade_calls_total{method=\"get\"}", 4.0),
            ("facade_load", -1.5),
            ("facade_seconds_sum{method=\"get\"}", 0.5),
            ("lib_jobs_total{queue=\"mail\"}", 5.0),
            ("lib_seconds_bucket{queue=\"mail\",le=\"0.5\"}", 0.0),
            ("lib_seconds_bucket{queue=\"mail\",le=~\"2|2.0\"}", 1.0),
            ("lib_seconds_bucket{queue=\"mail\",le=\"+Inf\"}", 1.0),
            ("scrape_samples_scraped > bool 0", 1.0),
        ]);
        for (query, value) in expected {
            prometheus.until(query, value).await;
        }
        server.stop().await;
    }
}
