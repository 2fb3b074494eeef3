//! Calls answered by several models: tokens count under the model that used them.

use tachometer::llm::{Price, PriceTable};
use tachometer::{LlmLayer, Registry};

use crate::response_formats::{EVENTS, JSON, MESSAGES, events};
use crate::support::{Call, Ends, readings};

/// What is expected of one model: tokens of input and output, and billionths of a dollar.
type Model = (&'static str, [u64; 2], u64);

#[track_caller]
fn check(model: &str, answered: &str, usage: &str, expected: &[Model], unpriced: &[&str]) {
    let body = format!(
        r#"{{"type":"message","model":"{answered}","stop_reason":"end_turn","content":[],"usage":{usage}}}"#
    );
    let request = format!(r#"{{"model":"{model}","max_tokens":9,"messages":[]}}"#);
    let call = Call {
        path: MESSAGES,
        request: &request,
        status: 200,
        headers: vec![("content-type", JSON)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    let prices = PriceTable::new()
        .model("claude-fable-5", Price::per_million(10.0, 50.0))
        .model("claude-opus-4-8", Price::per_million(5.0, 25.0))
        .model("claude-sonnet-5", Price::per_million(3.0, 15.0));
    for size in [1, 7, usize::MAX] {
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry).prices(prices.clone());
        call.pass(&layer, size);
        let readings = readings(&registry);
        assert_eq!(
            readings.label_values("llm_requests_total"),
            ["success"],
            "{usage}"
        );
        assert_eq!(readings.model, model, "{usage}");
        assert_eq!(readings.count("llm_request_duration_seconds", ""), Some(1));
        assert_eq!(
            readings.label_values("llm_unpriced_requests_total"),
            unpriced,
            "{usage}"
        );
        assert!(
            readings.label_values("llm_usage_missing_total").is_empty(),
            "{usage}"
        );
        let mut sums = [0, 0];
        for (model, tokens, nanos) in expected {
            let found = ["input", "output"].map(|by| readings.tokens_of(model, by));
            assert_eq!(found, *tokens, "{model}: {usage}");
            let cost = readings.cost_of(model);
            assert!(
                (cost * 1e9 - *nanos as f64).abs() < 0.5,
                "{model}: {cost}, {usage}"
            );
            sums = [sums[0] + tokens[0], sums[1] + tokens[1]];
        }
        let all = ["input", "output"].map(|by| readings.count("llm_tokens_total", by).unwrap_or(0));
        assert_eq!(all, sums, "{usage}");
    }
}

#[test]
fn an_attempt_that_was_declined_without_output_is_free() {
    check(
        "claude-fable-5",
        "claude-opus-4-8",
        r#"{"input_tokens":1000,"output_tokens":100,"iterations":[{"type":"message","model":"claude-fable-5","input_tokens":1000,"output_tokens":0},{"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1000,"output_tokens":100}]}"#,
        &[
            ("claude-fable-5", [0, 0], 0),
            ("claude-opus-4-8", [1_000, 100], 7_500_000),
        ],
        &[],
    );
}

#[test]
fn attempts_with_output_are_billed_at_the_rates_of_their_models() {
    check(
        "claude-fable-5",
        "claude-opus-4-8",
        r#"{"input_tokens":1000,"output_tokens":100,"iterations":[{"type":"message","model":"claude-fable-5","input_tokens":1000,"output_tokens":20},{"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1000,"cache_read_input_tokens":500,"output_tokens":100}]}"#,
        &[
            ("claude-fable-5", [1_000, 20], 11_000_000),
            ("claude-opus-4-8", [1_500, 100], 10_000_000),
        ],
        &[],
    );
}

#[test]
fn a_reported_cost_covers_all_models() {
    for (first, tokens) in [(0, [0, 0]), (20, [1_000, 20])] {
        let usage = r#"{"input_tokens":1000,"output_tokens":100,"cost":0.5,"iterations":[{"type":"message","model":"claude-fable-5","input_tokens":1000,"output_tokens":FIRST},{"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1000,"output_tokens":100}]}"#;
        check(
            "claude-fable-5",
            "claude-opus-4-8",
            &usage.replace("FIRST", &first.to_string()),
            &[
                ("claude-fable-5", tokens, 500_000_000),
                ("claude-opus-4-8", [1_000, 100], 0),
            ],
            &[],
        );
    }
}

#[test]
fn an_advisor_has_its_own_tokens_and_price() {
    check(
        "claude-sonnet-5",
        "claude-sonnet-5-20260101",
        r#"{"input_tokens":300,"output_tokens":30,"iterations":[{"type":"message","input_tokens":100,"output_tokens":10},{"type":"advisor_message","model":"claude-opus-4-8","input_tokens":5000,"output_tokens":500},{"type":"message","model":"claude-sonnet-5-20260101","input_tokens":200,"output_tokens":20}]}"#,
        &[
            ("claude-sonnet-5", [300, 30], 1_350_000),
            ("claude-opus-4-8", [5_000, 500], 37_500_000),
        ],
        &[],
    );
    // Without its own price it is unpriced, and never gets the price of the other one.
    check(
        "claude-sonnet-5",
        "claude-sonnet-5",
        r#"{"input_tokens":300,"output_tokens":30,"iterations":[{"type":"message","input_tokens":300,"output_tokens":30},{"type":"advisor_message","model":"claude-new","input_tokens":5000,"output_tokens":500}]}"#,
        &[
            ("claude-sonnet-5", [300, 30], 1_350_000),
            ("claude-new", [5_000, 500], 0),
        ],
        &["model"],
    );
}

#[test]
fn a_model_that_advises_itself_under_another_name_has_separate_tokens() {
    // An alias was requested, and the response names the actual model.
    check(
        "my-alias",
        "claude-opus-4-8",
        r#"{"input_tokens":100,"output_tokens":10,"iterations":[{"type":"message","model":"claude-opus-4-8","input_tokens":100,"output_tokens":10},{"type":"advisor_message","model":"claude-opus-4-8","input_tokens":5000,"output_tokens":500}]}"#,
        &[
            ("my-alias", [100, 10], 750_000),
            ("claude-opus-4-8", [5_000, 500], 37_500_000),
        ],
        &[],
    );
}

#[test]
fn only_the_declined_attempts_of_the_requested_model_are_free() {
    check(
        "claude-fable-5",
        "claude-opus-4-8",
        r#"{"input_tokens":1000,"output_tokens":100,"iterations":[{"type":"message","model":"claude-fable-5","input_tokens":1000,"output_tokens":0},{"type":"message","model":"claude-fable-5","input_tokens":50,"output_tokens":5},{"type":"advisor_message","model":"claude-sonnet-5","input_tokens":7,"output_tokens":0},{"type":"fallback_message","model":"claude-opus-4-8","input_tokens":1000,"output_tokens":100}]}"#,
        &[
            ("claude-fable-5", [50, 5], 750_000),
            ("claude-sonnet-5", [7, 0], 21_000),
            ("claude-opus-4-8", [1_000, 100], 7_500_000),
        ],
        &[],
    );
}

#[test]
fn a_model_without_a_price_is_unpriced_once_a_call() {
    check(
        "claude-sonnet-5",
        "claude-sonnet-5",
        r#"{"input_tokens":300,"output_tokens":30,"iterations":[{"type":"message","input_tokens":300,"output_tokens":30},{"type":"advisor_message","model":"claude-new","input_tokens":5,"output_tokens":0},{"type":"advisor_message","model":"claude-new","input_tokens":6,"output_tokens":2}]}"#,
        &[
            ("claude-sonnet-5", [300, 30], 1_350_000),
            ("claude-new", [11, 2], 0),
        ],
        &["model"],
    );
}

#[test]
fn an_empty_list_of_runs_discards_none() {
    check(
        "claude-opus-4-8",
        "claude-opus-4-8",
        r#"{"input_tokens":100,"output_tokens":10,"iterations":[{"type":"message","input_tokens":100,"output_tokens":10},{"type":"advisor_message","model":"claude-fable-5","input_tokens":5,"output_tokens":5}],"iterations":[]}"#,
        &[
            ("claude-opus-4-8", [100, 10], 750_000),
            ("claude-fable-5", [5, 5], 300_000),
        ],
        &[],
    );
}

#[test]
fn an_incomplete_list_of_runs_discards_nothing() {
    check(
        "claude-opus-4-8",
        "claude-opus-4-8",
        r#"{"input_tokens":300,"output_tokens":30,"iterations":[{"type":"message","input_tokens":100,"output_tokens":10}]}"#,
        &[("claude-opus-4-8", [300, 30], 2_250_000)],
        &[],
    );
}

#[test]
fn compactions_and_further_runs_add_up() {
    check(
        "claude-opus-4-8",
        "claude-opus-4-8",
        r#"{"input_tokens":200,"output_tokens":20,"iterations":[{"type":"compaction","input_tokens":5000,"output_tokens":0},{"type":"message","input_tokens":200,"output_tokens":20}]}"#,
        &[("claude-opus-4-8", [5_200, 20], 26_500_000)],
        &[],
    );
    check(
        "claude-opus-4-8",
        "claude-opus-4-8",
        r#"{"input_tokens":200,"output_tokens":20,"iterations":[]}"#,
        &[("claude-opus-4-8", [200, 20], 1_500_000)],
        &[],
    );
}

#[test]
fn a_tier_holds_for_all_models_of_a_call() {
    check(
        "claude-sonnet-5",
        "claude-sonnet-5",
        r#"{"input_tokens":300,"output_tokens":30,"service_tier":"priority","iterations":[{"type":"message","input_tokens":300,"output_tokens":30},{"type":"advisor_message","model":"claude-opus-4-8","input_tokens":5000,"output_tokens":500}]}"#,
        &[
            ("claude-sonnet-5", [300, 30], 1_350_000),
            ("claude-opus-4-8", [5_000, 500], 37_500_000),
        ],
        &["service_tier", "service_tier"],
    );
}

#[test]
fn a_list_of_runs_that_breaks_off_changes_nothing() {
    let event = |usage: &str| {
        format!(
            r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{usage}}}"#
        )
    };
    let whole = event(
        r#"{"input_tokens":5,"output_tokens":3,"iterations":[{"input_tokens":7,"output_tokens":2},{"input_tokens":5,"output_tokens":3}]}"#,
    );
    let broken = r#"{"type":"message_delta","usage":{"iterations":[{"input_tokens":100,"#;
    let last = event(r#"{"input_tokens":5,"output_tokens":4}"#);
    let end = r#"{"type":"message_stop"}"#;
    let body = events(&[&whole, broken, "oops", &last, end]);
    let call = Call {
        path: MESSAGES,
        request: r#"{"model":"m","stream":true}"#,
        status: 200,
        headers: vec![("content-type", EVENTS)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    for size in [1, 7, usize::MAX] {
        let readings = call.readings(size);
        assert_eq!(readings.count("llm_tokens_total", "input"), Some(12));
        assert_eq!(readings.count("llm_tokens_total", "output"), Some(5));
    }
}

#[test]
fn a_thousand_runs_of_a_thousand_models_are_bounded_and_lose_no_token() {
    let runs: Vec<_> = (0..1_000)
        .map(|number| {
            format!(
                r#"{{"type":"advisor_message","model":"invented-{number}","input_tokens":10,"output_tokens":1}}"#
            )
        })
        .collect();
    let usage = format!(
        r#"{{"input_tokens":0,"output_tokens":0,"iterations":[{}]}}"#,
        runs.join(",")
    );
    let body = format!(
        r#"{{"type":"message","model":"m","stop_reason":"end_turn","content":[],"usage":{usage}}}"#
    );
    let call = Call {
        path: MESSAGES,
        request: r#"{"model":"m","messages":[]}"#,
        status: 200,
        headers: vec![("content-type", JSON)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    let readings = call.readings(64);
    assert_eq!(readings.count("llm_tokens_total", "input"), Some(10_000));
    assert_eq!(readings.count("llm_tokens_total", "output"), Some(1_000));
    assert_eq!(readings.tokens_of("invented-19", "input"), 10);
    // A fifth of the limit is for models that only answers name.
    assert_eq!(readings.tokens_of("invented-20", "input"), 0);
}
