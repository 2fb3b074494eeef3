//! The examples as programs, each with a small upstream.

#[cfg(feature = "otlp")]
use std::sync::{Arc, Mutex};

use axum::body::Body;
#[cfg(feature = "otlp")]
use axum::body::Bytes;
#[cfg(feature = "otlp")]
use axum::http::HeaderMap;
use axum::http::{Request, StatusCode, Version};
#[cfg(feature = "otlp")]
use axum::{Router, routing::post};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::support::example::{command, example_output, listening};
use crate::support::loopback::Caller;
#[cfg(feature = "otlp")]
use crate::support::loopback::Server;

const LABELS: &str = r#"provider="openai_compatible",model="gpt-4o-mini",operation="chat""#;

#[test]
fn the_example_of_reqwest_prints_two_responses_and_their_metrics() {
    let output = example_output("llm_reqwest");
    assert_eq!(
        output.matches("It turns quite fast.\n").count(),
        2,
        "{output}"
    );
    holds(&output, "llm_requests_total", "outcome=\"success\"", 2);
    holds(&output, "llm_tokens_total", "direction=\"input\"", 42);
    holds(&output, "llm_tokens_total", "direction=\"output\"", 8);
}

#[test]
fn the_example_of_async_openai_counts_both_attempts() {
    let output = example_output("llm_async_openai");
    assert!(output.starts_with("It turns quite fast.\n"), "{output}");
    holds(&output, "llm_requests_total", "outcome=\"error\"", 1);
    holds(&output, "llm_requests_total", "outcome=\"success\"", 1);
    holds(&output, "llm_tokens_total", "direction=\"output\"", 4);
}

#[test]
fn the_example_of_retries_counts_one_call_and_its_three_attempts() {
    let output = example_output("llm_retries");
    let line = |name, model, outcome| {
        format!(
            "{name}{{provider=\"openai_compatible\",model=\"{model}\",operation=\"chat\",\
             outcome=\"{outcome}\"}}"
        )
    };
    let call = line("llm_requests_total", "gpt-4o", "success");
    let failed = line("attempt_llm_requests_total", "gpt-4o", "error");
    let answered = line("attempt_llm_requests_total", "gpt-4o-mini", "success");
    let expected = format!("It turns quite fast.\n{failed} 2\n{answered} 1\n{call} 1\n");
    assert_eq!(output, expected);
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn the_example_of_otlp_exports_before_it_ends() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&received);
    let receive = async move |headers: HeaderMap, body: Bytes| {
        requests.lock().unwrap().push((headers, body));
    };
    let collector = Server::start(Router::new().route("/v1/metrics", post(receive))).await;
    let mut command = command("otlp");
    command
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://{}", collector.address),
        )
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b")
        .env("OTEL_SERVICE_NAME", "importer");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"The metrics were exported.\n");
    let received = received.lock().unwrap();
    let (headers, body) = received.last().unwrap();
    assert_eq!(headers["api-key"], "a b");
    for text in ["importer", "rows_total", "imported", "skipped"] {
        assert!(
            body.windows(text.len())
                .any(|bytes| bytes == text.as_bytes()),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_gateway_forwards_streams_and_counts_them() {
    let (_running, url) = listening(command("llm_gateway").arg("127.0.0.1:0"));
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let body = r#"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true}}"#;
    let call = |path: &str| {
        let request = Request::post(format!("{url}{path}")).body(Body::from(body));
        client.request(request.unwrap())
    };
    let mut answer = call("/v1/chat/completions").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!String::from_utf8_lossy(&first).contains("[DONE]"));
    let rest = answer.collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    // It forwards only paths of the upstream.
    let astray = call("/v1/%2e%2e/metrics").await.unwrap();
    assert_eq!(astray.status(), StatusCode::NOT_FOUND);

    let caller = Caller::new(Version::HTTP_11);
    let output = caller.get(&format!("{url}/metrics")).await.unwrap().body;
    holds(&output, "llm_requests_total", "outcome=\"success\"", 1);
    holds(&output, "llm_tokens_total", "direction=\"input\"", 21);
    let served = "http_requests_total{method=\"POST\",route=\"/v1/{*path}\",status=\"200\",outcome=\"ok\"} 1\n";
    assert!(output.contains(served), "{output}");
}

#[test]
fn the_example_of_cloudwatch_prints_a_line_for_each_series_with_its_increase() {
    let output = example_output("cloudwatch_emf");
    let lines = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let orders = |line: &&Value| line["country"] == "nz";
    let counts: Vec<_> = lines
        .iter()
        .filter(orders)
        .map(|line| &line["orders_total"])
        .collect();
    assert_eq!(counts, [&json!(1.0), &json!(2.0)]);
    let seconds: Vec<_> = lines
        .iter()
        .filter(|line| !line["checkout_seconds_sum"].is_null())
        .collect();
    assert_eq!(seconds.len(), 2);
    for line in seconds {
        assert_eq!(line["checkout_seconds_count"], 1.0);
        assert_eq!(line["checkout_seconds_sum"], 0.25);
    }
    // Each line declares exactly its members.
    for line in &lines {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "shop");
        let names = directive["Dimensions"][0].as_array().unwrap().iter();
        let metrics = directive["Metrics"].as_array().unwrap();
        let names = names.chain(metrics.iter().map(|metric| &metric["Name"]));
        let mut names: Vec<_> = names.map(|name| name.as_str().unwrap()).collect();
        names.push("_aws");
        names.sort_unstable();
        let members: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, members);
        assert!(line["_aws"]["Timestamp"].as_u64() > Some(1_700_000_000_000));
    }
}

#[track_caller]
fn holds(output: &str, name: &str, label: &str, value: u32) {
    let line = format!("{name}{{{LABELS},{label}}} {value}");
    assert!(
        output.lines().any(|output| output == line),
        "{line} in:\n{output}"
    );
}
