//! The examples as programs, each with a small upstream.

use std::collections::BTreeMap;
use std::net::UdpSocket;
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
use crate::support::program::output;

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

#[test]
fn the_example_of_statsd_sends_increases_whose_sums_are_exact() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let output = output(command("statsd").arg(address), "");
    assert!(output.status.success(), "{output:?}");
    // The example has ended, so all datagrams are in the buffer of the socket.
    server.set_nonblocking(true).unwrap();
    let (mut sums, mut gauges) = (BTreeMap::new(), Vec::new());
    let mut datagrams = 0;
    let mut bytes = [0; 2_048];
    while let Ok(length) = server.recv(&mut bytes) {
        assert!(length <= 1_432);
        datagrams += 1;
        for line in str::from_utf8(&bytes[..length]).unwrap().lines() {
            let (name, value) = line.split_once(':').unwrap();
            let (value, kind) = value.split_once('|').unwrap();
            let (kind, tags) = kind.split_once("|#").unwrap_or((kind, ""));
            let value: f64 = value.parse().unwrap();
            match kind {
                "c" => *sums.entry(format!("{name} {tags}")).or_insert(0.0) += value,
                "g" if name == "balance_dollars" => gauges.push(value),
                "g" => {}
                _ => panic!("{line}"),
            }
        }
    }
    // Three rounds. The lines of the first do not fit into one datagram.
    assert!(datagrams > 3, "{datagrams}");
    for (series, sum) in [
        ("orders_total country:nz", 6.0),
        ("orders_total country:au", 6.0),
        ("checkout_seconds_count country:ca", 3.0),
        ("checkout_seconds_sum country:ca", 0.75),
        ("checkout_seconds_bucket country:ca,le:0.25", 3.0),
        ("checkout_seconds_bucket country:ca,le:inf", 3.0),
    ] {
        assert_eq!(sums.get(series), Some(&sum), "{series} in {sums:?}");
    }
    assert!(!sums.contains_key("checkout_seconds_bucket country:ca,le:0.1"));
    // Each negative value is a change of the zero before it.
    assert_eq!(gauges, [0.0, -1.0, 0.0, -3.0, 0.0, -6.0]);
}

#[cfg(feature = "metrics")]
#[test]
fn the_example_of_the_facade_exports_the_metrics_of_a_library_beside_those_of_the_service() {
    has_lines(
        "bridge_metrics",
        &[
            "# HELP library_calls_total Calls of the library.",
            "# TYPE library_calls_total counter",
            r#"library_calls_total{method="get"} 1"#,
            r#"library_calls_total{method="put"} 1"#,
            "library_connections 2",
            r#"library_call_seconds_bucket{le="0.1"} 0"#,
            r#"library_call_seconds_bucket{le="1.0"} 2"#,
            "library_call_seconds_sum 0.75",
            "orders_total 1",
        ],
    );
}

#[cfg(feature = "prometheus")]
#[test]
fn the_example_of_prometheus_exports_a_metric_that_was_registered_later() {
    has_lines(
        "bridge_prometheus",
        &[
            "# HELP library_connections_total Connections, by result.",
            r#"library_connections_total{result="ok"} 1"#,
            "orders_total 1",
        ],
    );
}

#[cfg(feature = "prometheus")]
#[test]
fn the_example_of_a_scrape_by_prometheus_has_the_metrics_of_both() {
    has_lines(
        "bridge_to_prometheus",
        &[
            "orders_total 1",
            "# TYPE checkout_seconds histogram",
            r#"checkout_seconds_bucket{le="0.25"} 1"#,
            "checkout_seconds_sum 0.25",
        ],
    );
}

#[cfg(any(feature = "metrics", feature = "prometheus"))]
#[track_caller]
fn has_lines(example: &str, expected: &[&str]) {
    let output = example_output(example);
    for line in expected {
        let lines = output.lines().filter(|output| output == line);
        assert_eq!(lines.count(), 1, "{line} in:\n{output}");
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
