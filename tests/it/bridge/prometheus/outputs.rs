//! What the router returns for metrics of the `prometheus` crate.

use std::process::Command;
use std::thread;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use prometheus::{
    CounterVec, Gauge, HistogramOpts, HistogramVec, IntCounterVec, Opts, exponential_buckets,
};
use serde_json::{Value, json};
use tachometer::export::Format;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use crate::bridge::prometheus::from_prometheus::{collecting, exported, refused_series};
use crate::bridge::prometheus::text_encoder::from_encoder;
use crate::support::compare_exports::{check_all, read, read_json};
use crate::support::program::{filter, promtool};

/// Returns a registry with a metric of each type.
fn other() -> prometheus::Registry {
    let other = prometheus::Registry::new();
    let jobs = IntCounterVec::new(Opts::new("lib_jobs_total", "Jobs."), &["queue"]).unwrap();
    let bytes = CounterVec::new(Opts::new("lib_bytes", "Bytes."), &["queue"]).unwrap();
    let load = Gauge::new("lib_load", "Load.").unwrap();
    let buckets = exponential_buckets(0.25, 2.0, 3).unwrap();
    let options = HistogramOpts::new("lib_seconds", "Durations.").buckets(buckets);
    let seconds = HistogramVec::new(options, &["queue"]).unwrap();
    for (queue, number) in [("mail", 3), ("image", 4)] {
        jobs.with_label_values(&[queue]).inc_by(number);
        bytes.with_label_values(&[queue]).inc_by(0.5);
        seconds.with_label_values(&[queue]).observe(0.75);
    }
    seconds.with_label_values(&["empty"]);
    load.set(-1.5);
    other.register(Box::new(jobs)).unwrap();
    other.register(Box::new(bytes)).unwrap();
    other.register(Box::new(load)).unwrap();
    other.register(Box::new(seconds)).unwrap();
    other
}

async fn get(router: &Router, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().into()).unwrap()
}

#[test]
fn all_formats_agree_and_promtool_accepts_the_text() {
    let registry = collecting(&other());
    check_all(&registry);
    let text = registry.export_prometheus();
    assert!(
        text.contains("lib_bytes_total{queue=\"mail\"} 0.5\n"),
        "{text}"
    );
    if promtool() {
        filter(Command::new("promtool").args(["check", "metrics"]), &text);
    }
    let open_metrics = registry
        .export(Format::OpenMetrics)
        .created_timestamps(true);
    read(Format::OpenMetrics, &open_metrics.to_bytes());
}

#[test]
fn json_has_each_series_with_its_numbers() {
    let registry = collecting(&other());
    let metrics = read_json(&registry.export(Format::Json).to_bytes());
    let value = |key: &str| &metrics[key]["value"];
    assert_eq!(value("lib_jobs_total{queue=\"image\"}"), &json!(4));
    assert_eq!(value("lib_bytes{queue=\"mail\"}"), &json!(0.5));
    assert_eq!(value("lib_load"), &json!(-1.5));
    let seconds = value("lib_seconds{queue=\"mail\"}");
    assert_eq!(
        (&seconds["count"], &seconds["sum"]),
        (&json!(1), &json!(0.75))
    );
    assert_eq!(value("lib_seconds{queue=\"empty\"}")["count"], 0);
}

#[cfg(feature = "dashboard")]
#[tokio::test]
async fn the_page_lists_the_metrics_and_the_board_and_the_rules_are_generated() {
    let registry = collecting(&other());
    let router: Router = MetricsRouter::new().registry(&registry).build();
    let view: Value = serde_json::from_str(&get(&router, "/view").await).unwrap();
    let text = view.to_string();
    for row in [
        r#""lib_jobs_total","counter","Jobs.",2,7,"#,
        r#""lib_bytes_total","counter","Bytes.",2,1,"#,
        r#""lib_load","gauge","Load.",1,-1.5,"#,
        r#""lib_seconds","histogram","Durations.",3,2,"#,
    ] {
        let row = row.replace(",7,", ",7.0,").replace(",2,1,", ",2,1.0,");
        assert!(
            text.replace(".0,", ",").contains(&row.replace(".0,", ",")),
            "{row}: {text}"
        );
    }
    let board: Value = serde_json::from_str(&get(&router, "/grafana.json").await).unwrap();
    assert!(board["panels"].is_array());
    assert!(!get(&router, "/rules.yml").await.contains("lib_"));
}

#[test]
fn each_scrape_while_64_threads_record_and_register_is_valid_and_the_last_is_exact() {
    const COUNTS: u64 = 1_000;
    let other = prometheus::Registry::new();
    let registry = collecting(&other);
    let shared = HistogramOpts::new("shared_seconds", "Durations.");
    let shared = HistogramVec::new(shared, &["worker"]).unwrap();
    other.register(Box::new(shared.clone())).unwrap();
    thread::scope(|scope| {
        for thread in 0..64_u32 {
            let (other, shared) = (&other, &shared);
            scope.spawn(move || {
                let name = format!("jobs_{thread}_total");
                let jobs = IntCounterVec::new(Opts::new(name, "Jobs."), &["queue"]).unwrap();
                other.register(Box::new(jobs.clone())).unwrap();
                let worker = (thread % 8).to_string();
                for number in 0..COUNTS {
                    let queue = if number.is_multiple_of(2) { "a" } else { "b" };
                    jobs.with_label_values(&[queue]).inc();
                    shared.with_label_values(&[&worker]).observe(0.5);
                }
            });
        }
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            for _ in 0..5 {
                // The parsers check that each histogram is consistent.
                read(format, &registry.export(format).to_bytes());
            }
        }
    });
    let families = exported(&registry);
    assert_eq!(families, from_encoder(&other));
    assert_eq!(families.len(), 65);
    let mut jobs = 0.0;
    for family in families.values().filter(|family| family.kind == "counter") {
        let numbers = family
            .series
            .iter()
            .map(|series| series.number.unwrap().real().0);
        jobs += numbers.sum::<f64>();
    }
    assert_eq!(jobs, 64_000.0);
    let seconds = families["shared_seconds"].series.iter();
    let counts = seconds.map(|series| series.histogram.as_ref().unwrap().count.unwrap());
    assert_eq!(counts.collect::<Vec<_>>(), [8 * COUNTS; 8]);
    assert_eq!(refused_series(&registry), 0.0);
}

#[test]
fn the_labels_and_the_prefix_of_a_handle_apply_to_all_series() {
    let registry = Registry::new();
    for (region, other) in [("eu", other()), ("us", other())] {
        let handle = registry.clone().with_prefix("app_").unwrap();
        let handle = handle.with_labels([("region", region)]).unwrap();
        let collector = tachometer::bridge::PrometheusCollector::new(other);
        handle.collector(collector).unwrap();
    }
    let text = registry.export_prometheus();
    for region in ["eu", "us"] {
        for line in [
            format!("app_lib_load{{region=\"{region}\"}} -1.5\n"),
            format!("app_lib_jobs_total{{region=\"{region}\",queue=\"mail\"}} 3\n"),
        ] {
            assert!(text.contains(&line), "{text}");
        }
    }
    assert_eq!(refused_series(&registry), 0.0);
    check_all(&registry);
}

#[test]
fn a_second_collector_of_the_same_registry_is_refused_at_scrapes() {
    let other = other();
    let registry = collecting(&other);
    let collector = tachometer::bridge::PrometheusCollector::new(other.clone());
    registry.collector(collector).unwrap();
    assert_eq!(exported(&registry), from_encoder(&other));
    assert_eq!(refused_series(&registry), 2.0 * 8.0);
}
