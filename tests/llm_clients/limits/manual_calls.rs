//! Manually recorded calls, and metric names in use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tachometer::llm::{ErrorType, Outcome, Usage};
use tachometer::snapshot::Values;
use tachometer::{LlmLayer, Registry};

use crate::support::local_client::histogram;
use crate::support::read::sum;
use crate::support::{CANCELLED, in_flight, layer, outcomes, tokens};

#[test]
fn each_call_is_counted_once_under_its_outcome() {
    let registry = Registry::new();
    let llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    let start = || llm.start_call("aws.bedrock", "claude-x", "chat");
    let mut whole = start();
    assert_eq!(in_flight(&registry), 1.0);
    whole.first_token();
    whole.first_token();
    whole.set_usage(Usage::new().input(1).output(1));
    // The last value counts, and a part is at most its total.
    let usage = Usage::new()
        .input(21)
        .output(4)
        .cache_read(16)
        .cache_write(99);
    whole.set_usage(usage.reasoning(3).audio_input(1).audio_output(0));
    whole.finish(Outcome::Success);
    start().finish(Outcome::Error(ErrorType::RateLimited));
    let mut cut = start();
    cut.set_usage(Usage::new().input(7));
    cut.finish(Outcome::Truncated);
    let mut left = start();
    left.first_token();
    drop(left);
    assert_eq!(in_flight(&registry), 0.0);
    assert_eq!(outcomes(&registry), [1.0; 4]);
    assert_eq!(tokens(&registry), [28.0, 4.0]);
    let count = |metric, name, value| sum(&registry, metric, &[(name, value)]);
    for (kind, tokens) in [
        ("cache_read", 16.0),
        ("cache_write", 21.0),
        ("reasoning", 3.0),
        ("audio_input", 1.0),
        ("audio_output", 0.0),
    ] {
        assert_eq!(
            count("llm_token_details_total", "kind", kind),
            tokens,
            "{kind}"
        );
    }
    assert_eq!(
        count("llm_requests_error", "error_type", "rate_limited"),
        1.0
    );
    assert_eq!(count("llm_requests_error", "error_type", "truncated"), 1.0);
    // What failed before an answer took no tokens.
    assert_eq!(count("llm_usage_missing_total", "reason", "error"), 0.0);
    assert_eq!(count("llm_usage_missing_total", "reason", "truncated"), 1.0);
    assert_eq!(count("llm_usage_missing_total", "reason", "cancelled"), 1.0);
    assert_eq!(histogram(&registry, "llm_time_to_first_token_seconds").0, 2);
    assert_eq!(
        histogram(&registry, "llm_time_per_output_token_seconds").0,
        1
    );
    assert_eq!(histogram(&registry, "llm_request_duration_seconds").0, 4);
    let labels = [
        ("provider", "aws.bedrock"),
        ("operation", "chat"),
        ("model", "claude-x"),
    ];
    assert_eq!(sum(&registry, "llm_requests_total", &labels), 4.0);
}

#[test]
fn a_model_without_a_name_is_unknown_and_embeddings_have_no_output() {
    let (layer, registry) = layer();
    let llm = layer.clone().try_register().unwrap();
    llm.start_call("", "", "").finish(Outcome::Success);
    let unknown = ["provider", "operation", "model"].map(|label| (label, "unknown"));
    assert_eq!(sum(&registry, "llm_requests_success", &unknown), 1.0);
    let missing = |reason| sum(&registry, "llm_usage_missing_total", &[("reason", reason)]);
    assert_eq!(missing("not_reported"), 1.0);
    let mut embedded = llm.start_call("openai", "embed-x", "embeddings");
    embedded.set_usage(Usage::new().input(5));
    embedded.finish(Outcome::Success);
    assert_eq!(missing("not_reported"), 1.0);
    assert_eq!(tokens(&registry), [5.0, 0.0]);
}

#[test]
fn a_call_dropped_by_a_panic_has_ended() {
    let (layer, registry) = layer();
    let llm = layer.clone().try_register().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _call = llm.start_call("openai", "gpt-x", "chat");
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(in_flight(&registry), 0.0);
    assert_eq!(outcomes(&registry), CANCELLED);
}

#[test]
fn each_server_time_is_recorded_under_its_phase() {
    let (layer, registry) = layer();
    let mut call = layer.start_call("vllm", "llama-x", "chat");
    call.set_queue_time(Duration::from_secs(1));
    call.set_load_time(Duration::from_secs(2));
    call.set_prompt_time(Duration::from_secs(4));
    call.set_generation_time(Duration::from_secs(8));
    call.set_total_server_time(Duration::from_secs(15));
    call.finish(Outcome::Success);
    let mut times = Vec::new();
    for block in registry
        .gather()
        .filter(|block| block.desc.name() == "llm_server_time_seconds")
    {
        let Values::Histogram(series) = &block.values else {
            panic!("not a histogram");
        };
        for (labels, histogram) in block.labels.iter().zip(series.iter()) {
            let mut labels = labels.pairs();
            let (_, phase) = labels.find(|(label, _)| *label == *"phase").unwrap();
            times.push((phase.to_string(), histogram.totals().sum));
        }
    }
    times.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let expected = [
        ("queue", 1.0),
        ("load", 2.0),
        ("prompt", 4.0),
        ("generate", 8.0),
        ("total", 15.0),
    ];
    assert_eq!(times, expected.map(|(phase, sum)| (phase.to_owned(), sum)));
}

#[test]
fn a_finished_call_is_recorded_with_the_given_values() {
    let registry = Registry::new();
    let second = Duration::from_millis(1_500);
    registry.record_llm_request(second, true, 750, "gpt-4");
    registry.record_llm_request(second, true, 250, "gpt-4");
    registry.record_llm_request(second, false, 0, "gpt-4");
    assert_eq!(outcomes(&registry), [0.0, 1.0, 2.0, 0.0]);
    let unknown = [("direction", "unknown"), ("model", "gpt-4")];
    assert_eq!(sum(&registry, "llm_tokens_total", &unknown), 1_000.0);
    let (calls, totals) = histogram(&registry, "llm_request_duration_seconds");
    assert_eq!((calls, totals.sum), (3, 4.5));
    assert_eq!(in_flight(&registry), 0.0);
    let other = [("error_type", "other")];
    assert_eq!(sum(&registry, "llm_requests_error", &other), 1.0);
    assert_eq!(sum(&registry, "llm_usage_missing_total", &[]), 0.0);
}

#[test]
fn a_name_in_use_is_an_error_or_a_panic() {
    let registry = Registry::new();
    let taken = registry
        .gauge("llm_tokens_total", "Someone else's.")
        .unwrap();
    taken.set(42);
    let layer = || LlmLayer::new().registry(&registry);
    assert!(layer().try_register().unwrap_err().is_conflict());
    assert!(
        LlmLayer::new()
            .registry(&registry)
            .try_register()
            .unwrap_err()
            .is_conflict()
    );
    assert!(catch_unwind(AssertUnwindSafe(|| layer().layer(()))).is_err());
    assert_eq!(outcomes(&registry), [0.0; 4]);
    assert_eq!(sum(&registry, "llm_tokens_total", &[]), 42.0);
    // With a prefix there is room for both.
    assert!(layer().prefix("shop_").try_register().is_ok());
}

#[test]
fn the_layer_and_manual_calls_share_metrics() {
    let (layer, registry) = layer();
    drop(layer.start_call("openai", "gpt-x", "chat"));
    let llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    drop(llm.start_call("openai", "gpt-x", "chat"));
    registry.record_llm_request(Duration::ZERO, true, 5, "gpt-x");
    drop(llm.start_call("openai", "gpt-x", "chat"));
    let calls = |model| sum(&registry, "llm_requests_total", &[("model", model)]);
    // The first two were cancelled before anyone knew that there is such a model.
    assert_eq!([calls("gpt-x"), calls("_unconfirmed")], [2.0, 2.0]);
}
