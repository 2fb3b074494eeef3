//! A receiver that translates names for Prometheus makes the names of a scrape.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use tachometer::llm::{Outcome, Usage};
use tachometer::push::Otlp;
use tachometer::{LlmLayer, MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::victoria_metrics::VictoriaMetrics;

/// Returns a registry with metrics of both layers and others.
async fn registry() -> Registry {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry).otel_names();
    let app = Router::new().route("/users/{id}", get(|| async { "hello" }));
    let app = app.layer(layer.body_sizes().version_label());
    for path in ["/users/1", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        to_bytes(response.into_body(), 1_000).await.unwrap();
    }
    let llm = LlmLayer::new().registry(&registry).otel_names();
    let llm = llm.try_register().unwrap();
    let mut call = llm.start_call("openai", "gpt-x", "chat");
    call.set_usage(Usage::new().input(5_000).output(3));
    call.finish(Outcome::Success);
    registry.counter("jobs", "").unwrap().inc();
    registry.counter("sent_bytes_total", "").unwrap().inc();
    registry.gauge("queue_ratio", "").unwrap().set(0.5);
    registry.gauge("room_celsius", "").unwrap().set(21);
    registry.histogram("wait_seconds", "").unwrap().observe(0.1);
    let dots = registry.clone().with_utf8_names();
    dots.counter("rpc.calls", "").unwrap().inc();
    registry
}

#[tokio::test]
async fn victoria_metrics_translates_all_names_to_those_of_a_scrape() {
    let Some(victoria_metrics) = VictoriaMetrics::start().await else {
        return;
    };
    let registry = registry().await;
    let scraped = registry.export_prometheus();
    let lines = scraped.lines().filter(|line| !line.starts_with('#'));
    let scraped = lines.map(|line| line.split(['{', ' ']).next().unwrap().to_owned());
    let scraped: BTreeSet<_> = scraped
        .filter(|name| !name.starts_with("tachometer_"))
        .collect();
    let otlp = Otlp::new().registry(&registry).interval(Duration::MAX);
    let otlp = otlp.metrics_endpoint(&victoria_metrics.otlp_url());
    otlp.start().unwrap().flush().await.unwrap();
    let names = victoria_metrics
        .query("group by (__name__) ({__name__!~\"tachometer_.*\"})")
        .await;
    let names = names
        .iter()
        .map(|(labels, _)| labels["__name__"].as_str().unwrap().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), scraped);
    for labels in [
        "http_server_request_duration_seconds_count{http_request_method=\"GET\", \
         http_route=\"/users/{id}\", http_response_status_code=\"200\", \
         network_protocol_version=\"1.1\"}",
        "gen_ai_client_token_usage_sum{gen_ai_provider_name=\"openai\", \
         gen_ai_request_model=\"gpt-x\", gen_ai_operation_name=\"chat\", \
         gen_ai_token_type=\"input\"}",
        "http_server_requests_total{outcome=\"ok\", http_response_status_code=\"200\"}",
    ] {
        assert_eq!(victoria_metrics.query(labels).await.len(), 1, "{labels}");
    }
}
