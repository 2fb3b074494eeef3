//! The guide for users of the Python module, which has a row for each line of its
//! documentation, and its examples.

use http::{StatusCode, Version};
use serde_json::Value;
use tachometer::testing::Exposition;

use crate::support::example::{command, example_output, listening};
use crate::support::loopback::Caller;

#[test]
fn the_three_kinds_of_metric() {
    assert_eq!(
        example_output("metric_types"),
        "requests: 6\nusers: 6\naverage: 0.85\nmin: 0.5, max: 1.2\np95: 1.20\n"
    );
}

#[test]
fn the_registry() {
    let output = example_output("registry");
    let lines: Vec<_> = output.lines().collect();
    assert!(lines[0].contains("request a counter"), "{output}");
    let expected = [
        "my_counter: 2",
        "my_counter is a counter",
        "my_gauge is a gauge",
        "my_histogram is a histogram",
        "0 metrics in the separate registry",
    ];
    assert_eq!(lines[1..], expected);
}

#[test]
fn functions_that_are_timed() {
    let output = example_output("timed");
    for line in [
        "the sum is 499500",
        "api_call_duration_count 1",
        "async_operation_duration_count 1",
        "parse_seconds_count{outcome=\"ok\"} 2",
        "parse_seconds_count{outcome=\"error\"} 1",
        "part_seconds_count 2",
    ] {
        assert!(
            output.lines().any(|output_line| output_line == line),
            "{line} in:\n{output}"
        );
    }
}

#[test]
fn the_system() {
    let output = Exposition::parse(&example_output("system")).unwrap();
    for (name, range) in [
        ("system_memory_bytes", 1.0..1e15),
        ("system_memory_percent", 0.0..100.1),
        ("process_memory_bytes", 1.0..1e15),
        ("system_cpu_percent", 0.0..100.1),
        ("process_cpu_percent", 0.0..1e5),
    ] {
        let value = output.value(name, []).unwrap();
        assert!(range.contains(&value), "{name} {value}");
    }
}

#[test]
fn calls_of_llms_by_hand() {
    assert_eq!(
        example_output("llm_by_hand"),
        "llm_requests_total 2\nllm_requests_success 2\nllm_requests_error 0\n\
         llm_tokens_total 1500\nllm_request_duration_seconds 2\n"
    );
}

#[test]
fn exports_to_files() {
    let output = example_output("export");
    assert!(output.starts_with("Timestamp: \"20"), "{output}");
    assert!(output.contains("\nRequests: 42\n"), "{output}");
    let (_, text) = output.split_once("Requests: 42\n").unwrap();
    let text = Exposition::parse(text).unwrap();
    let below = [("le", "0.5")];
    assert_eq!(text.value("response_time_seconds_bucket", below), Some(1.0));
}

#[test]
fn threads() {
    assert_eq!(example_output("threads"), "10000\n");
}

#[test]
fn labels() {
    let output = Exposition::parse(&example_output("labels")).unwrap();
    for (name, label, value) in [
        ("http_requests_total", ("status", "200"), 3.0),
        ("http_requests_total", ("method", "POST"), 1.0),
        ("calls_total", ("customer", "acme"), 2.0),
        ("calls_total", ("customer", "_overflow"), 1.0),
    ] {
        assert_eq!(output.value(name, [label]), Some(value), "{name} {label:?}");
    }
}

#[test]
fn the_whole_program() {
    let output = example_output("api_service");
    let json: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    let value = |name: &str| json["metrics"][name]["value"].clone();
    assert_eq!(value("api_requests_total"), 10);
    assert_eq!(value("api_errors_total"), 2);
    assert_eq!(value("api_active_requests"), 0);
    assert_eq!(value("api_request_duration")["count"], 10);
    assert_eq!(value("api_process_request")["count"], 10);
    assert!(output.contains("4: 4 is out of stock\n"), "{output}");
}

#[tokio::test]
async fn handlers_of_axum() {
    let (_running, url) = listening(command("handlers").arg("127.0.0.1:0"));
    let caller = Caller::new(Version::HTTP_11);
    for _ in 0..3 {
        let data = caller.get(&format!("{url}/api/data")).await.unwrap();
        assert_eq!(
            (data.status, &*data.body),
            (StatusCode::OK, "{\"data\":\"...\"}")
        );
    }
    let text = caller.get(&format!("{url}/metrics")).await.unwrap().body;
    let text = Exposition::parse(&text).unwrap();
    assert_eq!(text.value("api_data_endpoint_count", []), Some(3.0));
    let json = caller.get(&format!("{url}/metrics.json")).await.unwrap();
    let json: Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(json["metrics"]["api_data_endpoint"]["value"]["count"], 3);
}

/// The public names of the module.
const API: [(&str, &[&str]); 5] = [
    (
        "Counter",
        &[
            "Counter(name, help_text, labels)",
            "inc(amount=1.0)",
            "get()",
            "reset()",
            "snapshot()",
        ],
    ),
    (
        "Gauge",
        &[
            "Gauge(name, help_text, labels)",
            "set(value)",
            "inc(amount=1.0)",
            "dec(amount=1.0)",
            "get()",
            "reset()",
            "snapshot()",
        ],
    ),
    (
        "Histogram",
        &[
            "Histogram(name, help_text, labels, buckets)",
            "observe(value)",
            "get_stats()",
            "get_percentile(percentile)",
            "reset()",
            "snapshot()",
        ],
    ),
    (
        "MetricsRegistry",
        &[
            "get_instance()",
            "counter(name, help_text, labels)",
            "gauge(name, help_text, labels)",
            "histogram(name, help_text, labels, buckets)",
            "get_metric(name)",
            "get_all_metrics()",
            "update_system_metrics()",
            "record_llm_request(duration, success, tokens, model)",
            "export_prometheus()",
            "export_json()",
            "get_summary()",
            "reset_all()",
        ],
    ),
    (
        "Decorators and functions",
        &[
            "@timed(metric_name)",
            "get_metrics_registry()",
            "counter(name, help_text, labels)",
            "gauge(name, help_text, labels)",
            "histogram(name, help_text, labels, buckets)",
        ],
    ),
];

/// The doctests run the code of the rows.
#[test]
fn the_guide_has_a_row_for_each_line_of_the_api() {
    let guide = include_str!("../../../docs/from-python.md");
    for (section, lines) in API {
        let (_, rest) = guide.rsplit_once(&format!("\n### {section}\n")).unwrap();
        let section_text = rest.split("\n### ").next().unwrap();
        for line in lines {
            let row = format!("\n| `{line}`");
            assert!(section_text.contains(&row), "{section}: {line}");
        }
        assert!(section_text.contains("```rust\n"), "{section}");
    }
}
