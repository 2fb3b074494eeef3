//! The preset with OpenTelemetry's names and buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use serde_json::json;
use tachometer::llm::{ErrorType, Outcome, Usage};
use tachometer::{LlmLayer, Registry};

use crate::support::local_client::{finish, open_as};
use crate::support::read::sum;
use crate::support::responses::question;

fn otel() -> (LlmLayer, Registry) {
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry).otel_names();
    (layer, registry)
}

/// Returns the lines of a metric, as Prometheus reads them.
fn lines(registry: &Registry, start: &str) -> Vec<String> {
    let text = registry.export_prometheus();
    let lines = text.lines().filter(|line| line.starts_with(start));
    lines.map(str::to_owned).collect()
}

#[test]
fn calls_are_recorded_under_the_names_of_the_conventions() {
    let (layer, registry) = otel();
    let llm = layer.clone().try_register().unwrap();
    let mut call = llm.start_call("openai", "gpt-x", "chat");
    call.set_usage(Usage::new().input(5_000).output(3));
    call.finish(Outcome::Success);
    let refused = llm.start_call("openai", "gpt-x", "chat");
    refused.finish(Outcome::Error(ErrorType::RateLimited));
    let three = "gen_ai_provider_name=\"openai\",gen_ai_request_model=\"gpt-x\",\
                 gen_ai_operation_name=\"chat\"";
    for line in [
        format!("gen_ai_client_token_usage_count{{{three},gen_ai_token_type=\"input\"}} 1"),
        format!("gen_ai_client_token_usage_sum{{{three},gen_ai_token_type=\"input\"}} 5000"),
        format!(
            "gen_ai_client_token_usage_bucket{{{three},gen_ai_token_type=\"output\",le=\"4.0\"}} 1"
        ),
        format!("gen_ai_client_operation_duration_seconds_count{{{three},error_type=\"\"}} 1"),
        format!(
            "gen_ai_client_operation_duration_seconds_count{{{three},error_type=\"rate_limited\"}} 1"
        ),
        format!("gen_ai_client_requests_total{{{three},outcome=\"success\"}} 1"),
    ] {
        let text = registry.export_prometheus();
        assert!(text.contains(&line), "{line} in:\n{text}");
    }
    assert!(lines(&registry, "llm_").is_empty());
    let bounds = |name: &str| lines(&registry, &format!("{name}_bucket")).len();
    // Fourteen and the infinite one, of each series.
    assert_eq!(bounds("gen_ai_client_token_usage"), 2 * 15);
    assert_eq!(bounds("gen_ai_client_operation_duration_seconds"), 2 * 15);
    assert_eq!(registry.lint(), []);
}

#[test]
fn each_part_of_a_stream_after_the_first_is_timed() {
    // A clock that advances by a second at each reading.
    let clock_reads = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let (layer, registry) = otel();
    let layer = layer.clock(move || {
        let seconds = clock_reads.fetch_add(1, Ordering::Relaxed);
        start + Duration::from_secs(seconds)
    });
    let part = |text: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {delta}\n\n")
    };
    let body = [
        part(""),
        part("a"),
        part("b"),
        part("c"),
        "data: [DONE]\n\n".to_owned(),
    ];
    let answer = Response::builder().header("content-type", "text/event-stream");
    let answer = answer.body(body.concat()).unwrap();
    let url = "http://localhost/v1/chat/completions";
    finish(open_as(&layer, url, question("gpt-x", true), answer));
    let name = "gen_ai_client_operation_time_per_output_chunk_seconds";
    // All of them came at once.
    assert_eq!(sum(&registry, name, &[]), 2.0);
    let text = registry.export_prometheus();
    let first = "gen_ai_client_operation_time_to_first_chunk_seconds_count";
    assert!(text.contains(first), "{text}");
    assert!(lines(&registry, &format!("{name}_sum"))[0].ends_with(" 0"));
}

#[test]
fn both_presets_can_share_a_registry() {
    let registry = Registry::new();
    let metrics = LlmLayer::new().registry(&registry).try_register().unwrap();
    let layer = LlmLayer::new().registry(&registry).otel_names();
    let conventional = layer.clone().try_register().unwrap();
    metrics
        .start_call("p", "m", "chat")
        .finish(Outcome::Success);
    drop(conventional.start_call("p", "m", "chat"));
    assert_eq!(sum(&registry, "llm_requests_total", &[]), 1.0);
    assert_eq!(sum(&registry, "gen_ai_client_requests_total", &[]), 1.0);
}
