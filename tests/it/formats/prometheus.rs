//! A real Prometheus scrapes a service and answers PromQL queries.

use axum::Router;
use axum::http::{Method, Version};
use tachometer::{MetricsRouter, Registry};

use crate::formats::parsers::awkward_values;
use crate::formats::sample_service;
use crate::support::loopback::{Caller, Server};
use crate::support::prometheus::{Prometheus, histogram_quantile};

#[tokio::test]
async fn a_prometheus_that_scrapes_a_service_reports_the_requests_of_the_script() {
    let server = sample_service::start().await;
    let url = format!("http://{}", server.address);
    let Some(prometheus) = Prometheus::start(&server.address.to_string()).await else {
        return;
    };
    let caller = Caller::new(Version::HTTP_11);
    let at = |path: &str| format!("{url}{path}");

    for (path, calls) in [
        ("/users/7", 20),
        ("/slow", 6),
        ("/users/9999", 3),
        ("/wp-admin", 4),
        ("/fail", 5),
    ] {
        for _ in 0..calls {
            caller.get(&at(path)).await.unwrap();
        }
    }
    for _ in 0..2 {
        caller.call(Method::HEAD, &at("/")).await.unwrap();
    }
    for (outcome, calls) in [("ok", 28.0), ("client_error", 7.0), ("server_error", 5.0)] {
        let query = format!("sum(http_requests_total{{outcome=\"{outcome}\"}})");
        prometheus.until(&query, calls).await;
    }
    assert_eq!(
        prometheus.number("sum(http_requests_total)").await,
        Some(40.0)
    );
    let unmatched = "sum(http_requests_total{route=\"unmatched\"})";
    assert_eq!(prometheus.number(unmatched).await, Some(4.0));

    // Nothing is in flight, so a scrape here equals that of Prometheus.
    let scrape = caller.get(&at("/metrics")).await.unwrap().body;
    // Away from the edges of buckets, where versions of Prometheus differ.
    prometheus
        .until("sum(http_request_duration_seconds_count)", 40.0)
        .await;
    for quantile in [0.47, 0.87, 0.98] {
        let query = format!(
            "histogram_quantile({quantile}, sum by (le) (http_request_duration_seconds_bucket))"
        );
        let expected = histogram_quantile(quantile, &buckets(&scrape));
        let answered = prometheus.number(&query).await.unwrap();
        assert!(
            (answered - expected).abs() <= 1e-9 * expected,
            "{query}: {answered}, {expected}"
        );
    }

    let mut open = Vec::new();
    let endless = at("/stream");
    for _ in 0..5 {
        open.push(caller.open(Method::GET, &endless).await.unwrap());
    }
    prometheus.until("sum(http_requests_in_flight)", 5.0).await;
    drop(open);
    prometheus.until("sum(http_requests_in_flight)", 0.0).await;
    let cancelled = "sum(http_requests_total{outcome=\"cancelled_in_body\"})";
    prometheus.until(cancelled, 5.0).await;
    assert_eq!(
        prometheus.number("sum(http_requests_total)").await,
        Some(45.0)
    );
}

#[tokio::test]
async fn any_label_value_and_help_text_comes_back_equal_through_prometheus() {
    let registry = Registry::new();
    let help = "Quotes \" and \\ backslashes \\n and\na second line, Grüße 🚀.";
    let family = registry.gauge_family("awkward", help, ["value"]).unwrap();
    let values = awkward_values();
    for value in &values {
        family.with([value]).set(1);
    }
    let router = MetricsRouter::new().registry(&registry).build();
    let server = Server::start(Router::new().nest("/metrics", router)).await;
    let Some(prometheus) = Prometheus::start(&server.address.to_string()).await else {
        return server.stop().await;
    };
    prometheus
        .until("sum(awkward)", crate::support::read::to_f64(values.len()))
        .await;
    let mut read: Vec<_> = prometheus
        .query("awkward")
        .await
        .iter()
        .map(|(labels, _)| labels["value"].as_str().unwrap().to_owned())
        .collect();
    read.sort();
    assert_eq!(read, values);
    let metadata = prometheus.api("metadata?metric=awkward").await;
    assert_eq!(metadata["awkward"][0]["help"].as_str(), Some(help));
}

/// Returns the buckets of all request durations in a scrape, summed by bound.
fn buckets(scrape: &str) -> Vec<(f64, f64)> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in scrape.lines() {
        let Some(line) = line.strip_prefix("http_request_duration_seconds_bucket{") else {
            continue;
        };
        let (labels, count) = line.rsplit_once("} ").unwrap();
        let (_, bound) = labels.rsplit_once("le=\"").unwrap();
        let bound: f64 = bound
            .trim_end_matches('"')
            .replace("+Inf", "inf")
            .parse()
            .unwrap();
        let count: f64 = count.parse().unwrap();
        match buckets.iter_mut().find(|(there, _)| *there == bound) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((bound, count)),
        }
    }
    buckets
}
