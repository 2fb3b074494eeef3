//! Names and attributes of the semantic conventions.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use tachometer::llm::{ErrorType, Outcome, Usage};
use tachometer::{LlmLayer, MetricsLayer, Registry};
use tower::ServiceExt;

use crate::otlp::decoded::{export, opentelemetry_python, points};

/// Returns metrics after a request to `/users/1`, one to `/fail` and one to an unknown route.
async fn http(layer: MetricsLayer) -> BTreeMap<String, Value> {
    let registry = Registry::new();
    let layer = layer.registry(&registry).version_label().scheme_label();
    let app = Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/fail", get(|| async { StatusCode::BAD_GATEWAY }))
        .layer(layer.body_sizes());
    for path in ["/users/1", "/fail", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        axum::body::to_bytes(response.into_body(), 1_000)
            .await
            .unwrap();
    }
    let exported = tokio::task::spawn_blocking(move || export(&registry, |otlp| otlp));
    exported.await.unwrap()
}

fn attributes(metric: &Value) -> Vec<Value> {
    let points = points(metric).iter();
    points.map(|point| point["attributes"].clone()).collect()
}

#[tokio::test]
async fn requests_have_the_names_and_attributes_of_the_conventions() {
    if !opentelemetry_python() {
        return;
    }
    let metrics = http(MetricsLayer::new().otel_names()).await;
    let duration = &metrics["http.server.request.duration"];
    assert_eq!([&duration["unit"], &duration["kind"]], ["s", "histogram"]);
    let user = json!([
        ["http.request.method", "string_value", "GET"],
        ["http.route", "string_value", "/users/{id}"],
        ["http.response.status_code", "int_value", 200],
        ["network.protocol.version", "string_value", "1.1"],
    ]);
    let all = attributes(duration);
    assert!(all.contains(&user), "{all:?}");
    let active = &metrics["http.server.active_requests"];
    assert_eq!([&active["unit"], &active["kind"]], ["{request}", "sum"]);
    assert_eq!(
        (&active["is_monotonic"], &active["temporality"]),
        (&json!(false), &json!(2))
    );
    for (name, unit) in [
        ("http.server.request.body.size", "By"),
        ("http.server.response.body.size", "By"),
        ("http.server.requests", ""),
    ] {
        assert_eq!(metrics[name]["unit"], unit, "{name}");
    }
    let outcomes = attributes(&metrics["http.server.requests"]);
    assert_eq!(outcomes[0][4], json!(["outcome", "string_value", "ok"]));
    assert!(
        metrics.keys().all(|name| name.starts_with("http.")),
        "{:?}",
        metrics.keys()
    );
}

#[tokio::test]
async fn other_presets_and_names_with_a_prefix_are_not_changed() {
    if !opentelemetry_python() {
        return;
    }
    for (layer, name, label) in [
        (
            MetricsLayer::new(),
            "http_request_duration_seconds",
            "method",
        ),
        (
            MetricsLayer::new().otel_names().prefix("shop_"),
            "shop_http_server_request_duration_seconds",
            "http_request_method",
        ),
    ] {
        let metrics = http(layer).await;
        assert_eq!(metrics[name]["unit"], "s");
        let expected = json!([label, "string_value", "GET"]);
        assert_eq!(attributes(&metrics[name])[0][0], expected);
        assert!(
            metrics.keys().all(|name| !name.contains('.')),
            "{:?}",
            metrics.keys()
        );
    }
}

#[test]
fn llm_calls_have_the_names_and_attributes_of_the_conventions() {
    if !opentelemetry_python() {
        return;
    }
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry).otel_names();
    let llm = layer.try_register().unwrap();
    let mut call = llm.start_call("openai", "gpt-x", "chat");
    call.set_usage(Usage::new().input(5_000).output(3));
    call.finish(Outcome::Success);
    let failed = llm.start_call("openai", "gpt-x", "chat");
    failed.finish(Outcome::Error(ErrorType::RateLimited));
    let metrics = export(&registry, |otlp| otlp);
    let call = [
        json!(["gen_ai.provider.name", "string_value", "openai"]),
        json!(["gen_ai.request.model", "string_value", "gpt-x"]),
        json!(["gen_ai.operation.name", "string_value", "chat"]),
    ];
    let with = |name: &str, value: &str| {
        let attribute = json!([name, "string_value", value]);
        Value::Array([&call[..], &[attribute]].concat())
    };
    let tokens = &metrics["gen_ai.client.token.usage"];
    assert_eq!([&tokens["unit"], &tokens["kind"]], ["{token}", "histogram"]);
    let types = ["input", "output"].map(|direction| with("gen_ai.token.type", direction));
    assert_eq!(attributes(tokens), types);
    let duration = &metrics["gen_ai.client.operation.duration"];
    assert_eq!(duration["unit"], "s");
    let error = with("error.type", "rate_limited");
    assert_eq!(attributes(duration), [Value::Array(call.to_vec()), error]);
    assert!(
        metrics.keys().all(|name| name.starts_with("gen_ai.")),
        "{:?}",
        metrics.keys()
    );
}
