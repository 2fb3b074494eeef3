//! Real receivers of OTLP have the numbers of the registry.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tachometer::push::{Compression, Otlp};
use tachometer::snapshot::{Escaping, Values};
use tachometer::{Buckets, Registry};

use crate::support::fixture::{
    Classic, Fixture, Labels, Reader, Series, expected, for_each_series,
};
use crate::support::prometheus::labels;
use crate::support::rotel::Rotel;
use crate::support::victoria_metrics::VictoriaMetrics;
use crate::support::wait::until;

/// The labels that the receiver makes of the resource and the scope.
const ADDED: [&str; 10] = [
    "job",
    "instance",
    "service_name",
    "service_instance_id",
    "scope_name",
    "scope_version",
    "telemetry_sdk_name",
    "telemetry_sdk_language",
    "telemetry_sdk_version",
    "test_compression",
];

#[tokio::test(flavor = "multi_thread")]
async fn victoria_metrics_has_the_series_that_a_scrape_would_have() {
    let Some(victoria_metrics) = VictoriaMetrics::start().await else {
        return;
    };
    let fixture = Fixture::new();
    let reader = Reader {
        classic: Classic::Always,
        negative_sums: true,
        escaping: Escaping::Underscores,
    };
    let mut expected = expected(&fixture.registry, reader);
    for labels in sums_with_negative_values(&fixture.registry) {
        expected.remove(&labels).expect("a sum");
    }
    // It stores no NaN.
    expected.retain(|_, value| !value.is_nan());
    for compression in [Compression::None, Compression::Gzip] {
        let exporter = Otlp::new()
            .registry(&fixture.registry)
            .metrics_endpoint(&victoria_metrics.otlp_url())
            .service_name("it")
            .resource_attribute("test.compression", &format!("{compression:?}"))
            .compression(compression)
            .start()
            .unwrap();
        exporter.shutdown(Duration::from_secs(60)).await.unwrap();
        let query = format!("{{test_compression=\"{compression:?}\"}}");
        let received = series(&victoria_metrics.query(&query).await);
        let differs = |series: &&Labels| {
            let [one, other] = [&received, &expected].map(|all| all.get(*series));
            !one.zip(other)
                .is_some_and(|(one, other)| same(*one, *other))
        };
        let all: BTreeSet<_> = received.keys().chain(expected.keys()).collect();
        let different: Vec<_> = all
            .into_iter()
            .filter(differs)
            .map(|labels| (labels, received.get(labels), expected.get(labels)))
            .take(10)
            .collect();
        assert_eq!(different, []);
    }
}

/// VictoriaMetrics rounds numbers to about twelve digits, and the smallest ones to 0.
fn same(received: f64, expected: f64) -> bool {
    received == expected || (received - expected).abs() < 1e-11 * expected.abs() + 1e-300
}

#[tokio::test(flavor = "multi_thread")]
async fn rotel_prints_each_point() {
    let Some(receiver) = Rotel::start().await else {
        return;
    };
    let registry = Registry::new();
    registry.counter("rotel_jobs_total", "").unwrap().inc_by(3);
    registry.gauge("rotel_depth", "").unwrap().set(-0.5);
    let buckets = Buckets::default().native();
    let seconds = registry.histogram_with_buckets("rotel_seconds", "", buckets);
    seconds.unwrap().observe(0.25);
    for exponential in [false, true] {
        let exporter = Otlp::new()
            .registry(&registry)
            .endpoint(&receiver.url)
            .exponential_histograms(exponential)
            .start()
            .unwrap();
        exporter.shutdown(Duration::from_secs(60)).await.unwrap();
        let kind = if exponential {
            "ExponentialHistogram"
        } else {
            "Histogram"
        };
        for point in [
            "-> Name: rotel_jobs_total",
            "-> Name: rotel_depth",
            "-> Name: rotel_seconds",
            "Value: 3",
            "Value: -0.5",
            &format!("DataType: {kind}"),
        ] {
            until(|| receiver.log().contains(point)).await;
        }
    }
}

/// Returns the series that VictoriaMetrics returned, except those of the crate about itself.
fn series(result: &[(Value, f64)]) -> Series {
    let mut series = Series::new();
    for (metric, value) in result {
        let mut labels = labels(metric);
        labels.retain(|name, _| !ADDED.contains(&&**name));
        if let Some(bound) = labels.get_mut("le") {
            let number: f64 = bound.replace("+Inf", "inf").parse().unwrap();
            *bound = number.to_string();
        }
        if !labels["__name__"].starts_with("tachometer_") {
            assert!(series.insert(labels, *value).is_none());
        }
    }
    series
}

/// Returns the sums that OTLP leaves out: those of histograms with a negative value.
fn sums_with_negative_values(registry: &Registry) -> Vec<Labels> {
    let mut sums = Vec::new();
    for_each_series(registry, |block, position, mut labels| {
        if let Values::Histogram(histograms) = &block.values {
            let histogram = histograms.get(position).unwrap();
            if histogram.count() > 0 && histogram.totals().min < 0.0 {
                let name = format!("{}_sum", block.desc.exposed_name());
                labels.insert("__name__".into(), name);
                sums.push(labels);
            }
        }
    });
    sums
}
