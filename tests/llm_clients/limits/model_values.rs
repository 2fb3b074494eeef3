//! Model names come from callers and servers, who may invent them.

use std::fs;

use http::Response;
use serde_json::{Value, json};
use tachometer::llm::{ErrorType, LlmCall, Outcome, Usage};
use tachometer::{LlmLayer, Registry};

use crate::support::local_client::{call, finish, open_as};
use crate::support::read::{series, sum};
use crate::support::responses::{CHAT, chat};
use crate::support::{in_flight, layer, outcomes, tokens};

const INVENTED: u32 = 250_000;
/// If each model were kept in each family, this would be exceeded many times.
const MOST_BYTES: u64 = 200 << 20;

/// Returns the resident memory of this process in bytes, if the system reports it.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

fn calls(registry: &Registry, model: &str) -> f64 {
    sum(registry, "llm_requests_total", &[("model", model)])
}

fn start(llm: &LlmLayer, model: &str) -> LlmCall {
    llm.start_call("openai", model, "chat")
}

/// Makes a call of a model that answers.
fn succeed(llm: &LlmLayer, model: &str) {
    start(llm, model).finish(Outcome::Success);
}

/// Makes a call of a model that is refused.
fn refuse(layer: &LlmLayer, model: &str, status: u16) {
    let body = json!({"model": model, "messages": []}).to_string();
    let answer = Response::builder().status(status).body(String::new());
    finish(open_as(layer, CHAT, body, answer.unwrap()));
}

/// Makes a call whose request is not seen, and whose answer names a model.
fn answer_as(layer: &LlmLayer, model: &str) {
    let answer = Response::new(chat(model, 3, 2).to_string());
    finish(open_as(layer, CHAT, "not JSON".to_owned(), answer));
}

#[test]
fn thousands_of_invented_models_take_no_more_memory_than_a_hundred() {
    let (layer, registry) = layer();
    let layer = layer.known_models(["configured"]);
    let before = resident();
    let llm = layer.clone().try_register().unwrap();
    for number in 0..INVENTED {
        succeed(&llm, &format!("invented-{number}"));
    }
    drop(start(&llm, "configured"));
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(
            after.saturating_sub(before) < MOST_BYTES,
            "{before} {after}"
        );
    }
    assert_eq!(calls(&registry, "invented-0"), 1.0);
    assert_eq!(calls(&registry, "invented-99"), 1.0);
    assert_eq!(calls(&registry, "invented-100"), 0.0);
    assert_eq!(calls(&registry, "_overflow"), f64::from(INVENTED - 100));
    assert_eq!(calls(&registry, "configured"), 1.0);
    assert_eq!(outcomes(&registry), [1.0, 0.0, f64::from(INVENTED), 0.0]);
    // Calls in flight, five outcomes and one type of error at 0, of each of the 103 models;
    // successes and missing usage of those that answered; durations; and the configured
    // model's usage that a cancelled call did not show.
    assert_eq!(series(&registry), 103 * 7 + 101 * 2 + 102 + 1);
}

#[test]
fn all_families_agree_on_overflow_and_sums_are_exact() {
    let (layer, registry) = layer();
    let layer = layer.model_limit(3).known_models(["pinned"]);
    for round in 0..10 {
        for number in 0..20 {
            call(&layer, CHAT, &format!("model-{}", (number + round) % 20));
        }
        call(&layer, CHAT, "pinned");
    }
    assert_eq!(outcomes(&registry), [0.0, 0.0, 210.0, 0.0]);
    assert_eq!(tokens(&registry), [630.0, 420.0]);
    for metric in [
        "llm_requests_total",
        "llm_requests_success",
        "llm_request_duration_seconds",
        "llm_finish_reasons_total",
    ] {
        for model in ["model-0", "model-1", "model-2", "pinned"] {
            let calls = sum(&registry, metric, &[("model", model)]);
            assert_eq!(calls, 10.0, "{metric} {model}");
        }
        let others = sum(&registry, metric, &[("model", "_overflow")]);
        assert_eq!(others, 170.0, "{metric}");
    }
    let input = [("model", "_overflow"), ("direction", "input")];
    assert_eq!(sum(&registry, "llm_tokens_total", &input), 510.0);
}

#[test]
fn a_model_has_a_series_once_a_provider_has_accepted_it() {
    let (layer, registry) = layer();
    for number in 0..100 {
        refuse(&layer, &format!("mistyped-{number}"), 404);
    }
    assert_eq!(calls(&registry, "_unconfirmed"), 100.0);
    let not_found = [("model", "_unconfirmed"), ("error_type", "not_found")];
    assert_eq!(sum(&registry, "llm_requests_error", &not_found), 100.0);
    // They used no place of the limit, and the model of the first successful call has its own
    // series.
    call(&layer, CHAT, "gpt-real");
    assert_eq!(calls(&registry, "gpt-real"), 1.0);
    // From then on its errors have it, too.
    refuse(&layer, "gpt-real", 429);
    assert_eq!(calls(&registry, "gpt-real"), 2.0);
    assert_eq!(calls(&registry, "_unconfirmed"), 100.0);
    assert_eq!(in_flight(&registry), 0.0);
}

#[test]
fn a_call_is_in_flight_as_unconfirmed_until_its_model_is_known() {
    let (layer, registry) = layer();
    let layer = layer.known_models(["configured"]);
    let llm = layer.clone().try_register().unwrap();
    let flying = |model| sum(&registry, "llm_requests_in_flight", &[("model", model)]);
    let mut first = start(&llm, "gpt-x");
    assert_eq!([flying("_unconfirmed"), flying("gpt-x")], [1.0, 0.0]);
    first.first_token();
    // The series where it began is the one where it ends.
    let second = start(&llm, "gpt-x");
    assert_eq!([flying("_unconfirmed"), flying("gpt-x")], [1.0, 1.0]);
    drop((first, second));
    assert_eq!([flying("_unconfirmed"), flying("gpt-x")], [0.0, 0.0]);
    assert_eq!(calls(&registry, "gpt-x"), 2.0);
    let configured = start(&llm, "configured");
    assert_eq!(flying("configured"), 1.0);
    configured.finish(Outcome::Error(ErrorType::Connect));
    assert_eq!(calls(&registry, "configured"), 1.0);
}

#[test]
fn a_call_without_a_model_is_in_flight_as_unknown() {
    let (layer, registry) = layer();
    let flying = |model| sum(&registry, "llm_requests_in_flight", &[("model", model)]);
    let answer = Response::new("{}".to_owned());
    let answer = open_as(&layer, CHAT, "not JSON".to_owned(), answer);
    assert_eq!([flying("unknown"), flying("_unconfirmed")], [1.0, 0.0]);
    finish(answer);
    assert_eq!(flying("unknown"), 0.0);
}

#[test]
fn a_model_that_another_provider_accepts_is_known_when_a_call_of_it_fails() {
    let (layer, registry) = layer();
    let llm = layer.clone().try_register().unwrap();
    let failing = llm.start_call("one", "gpt-x", "chat");
    llm.start_call("other", "gpt-x", "chat")
        .finish(Outcome::Success);
    failing.finish(Outcome::Error(ErrorType::Connect));
    assert_eq!(calls(&registry, "gpt-x"), 2.0);
    assert_eq!(calls(&registry, "_unconfirmed"), 0.0);
}

#[test]
fn the_rate_limits_of_a_refusal_prove_no_model() {
    let (layer, registry) = layer();
    let answer = Response::builder()
        .status(429)
        .header("x-ratelimit-limit-requests", "60")
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "1m");
    let body = json!({"model": "mistyped", "messages": []}).to_string();
    finish(open_as(
        &layer,
        CHAT,
        body,
        answer.body(String::new()).unwrap(),
    ));
    let limit = |model| sum(&registry, "llm_rate_limit", &[("model", model)]);
    assert_eq!([limit("_unconfirmed"), limit("mistyped")], [60.0, 0.0]);
    assert!(!registry.export_prometheus().contains("mistyped"));
}

#[test]
fn models_named_only_by_responses_have_a_fifth_of_the_limit() {
    let (layer, registry) = layer();
    for number in 0..3_000 {
        answer_as(&layer, &format!("claimed-{number}"));
    }
    assert_eq!(calls(&registry, "claimed-19"), 1.0);
    assert_eq!(calls(&registry, "claimed-20"), 0.0);
    assert_eq!(calls(&registry, "_overflow"), 2_980.0);
    // The remaining places are for models named by callers.
    for number in 0..81 {
        call(&layer, CHAT, &format!("real-{number}"));
    }
    assert_eq!(calls(&registry, "real-79"), 1.0);
    assert_eq!(calls(&registry, "real-80"), 0.0);
    // A model that a caller named before is known in answers.
    answer_as(&layer, "real-7");
    assert_eq!(calls(&registry, "real-7"), 2.0);
    // They get no place once the limit is reached.
    let (layer, registry) = self::layer();
    for number in 0..100 {
        call(&layer, CHAT, &format!("real-{number}"));
    }
    answer_as(&layer, "claimed");
    assert_eq!(calls(&registry, "claimed"), 0.0);
}

#[test]
fn a_small_limit_admits_one_model_named_only_by_responses() {
    let (layer, registry) = layer();
    let layer = layer.model_limit(1);
    answer_as(&layer, "claimed");
    answer_as(&layer, "other");
    assert_eq!(
        [calls(&registry, "claimed"), calls(&registry, "_overflow")],
        [1.0, 1.0]
    );
}

#[test]
fn a_model_over_the_limit_of_combinations_is_over_it_in_all_families() {
    let (layer, registry) = layer();
    let llm = layer.model_limit(2).try_register().unwrap();
    for number in 0..1_000 {
        let mut call = llm.start_call(&format!("provider-{number}"), "gpt-x", "chat");
        call.set_usage(Usage::new().input(1).output(1));
        call.finish(Outcome::Success);
    }
    let named = calls(&registry, "gpt-x");
    assert!(named <= 20.0, "{named}");
    assert_eq!(calls(&registry, "_overflow"), 1_000.0 - named);
    for metric in ["llm_tokens_total", "llm_request_duration_seconds"] {
        let found = sum(&registry, metric, &[("model", "gpt-x")]);
        assert!(found <= 40.0, "{metric}: {found}");
    }
}

#[test]
fn names_that_hide_something_or_look_like_keys_have_no_series() {
    let long = "x-".repeat(129);
    let names = [
        "sk-proj-CANARY",
        "AIzaCANARY",
        "Bearer CANARY",
        "CANARY0123456789abcdef0123456789abcdef",
        "CANARY\u{202e}4",
        "CANARY\n4",
        &long,
    ];
    let (layer, registry) = layer();
    for name in names {
        call(&layer, CHAT, name);
        answer_as(&layer, name);
        succeed(&layer, name);
    }
    assert_eq!(calls(&registry, "_overflow"), 21.0);
    let text = registry.export_prometheus();
    assert!(!text.contains("CANARY") && !text.contains("x-x-"), "{text}");
    // They used up no room.
    for number in 0..100 {
        call(&layer, CHAT, &format!("real-{number}"));
    }
    assert_eq!(calls(&registry, "real-99"), 1.0);
    assert!(sum(&registry, "tachometer_series_overflow_total", &[]) >= 21.0);
    // Configured models are always admitted.
    let (layer, registry) = self::layer();
    let layer = layer.known_models(["0123456789abcdef0123456789abcdef"]);
    call(&layer, CHAT, "0123456789abcdef0123456789abcdef");
    assert_eq!(calls(&registry, "0123456789abcdef0123456789abcdef"), 1.0);
    let digest = [("model", "0123456789abcdef0123456789abcdef")];
    let call = start(&layer, digest[0].1);
    assert_eq!(sum(&registry, "llm_requests_in_flight", &digest), 1.0);
    drop(call);
    let (layer, registry) = self::layer();
    answer_as(&layer.known_models([digest[0].1]), digest[0].1);
    assert_eq!(calls(&registry, digest[0].1), 1.0);
}

#[test]
fn a_model_name_as_long_as_a_prompt_is_not_exported() {
    let (layer, registry) = layer();
    let long = "x".repeat(5_000);
    call(&layer, CHAT, &long);
    succeed(&layer, &long);
    assert_eq!(calls(&registry, "_overflow"), 2.0);
    assert!(!registry.export_prometheus().contains("xxxxx"));
}

#[test]
fn a_limit_set_earlier_in_the_registry_is_kept() {
    let (layer, registry) = layer();
    let few = layer.clone().model_limit(2).try_register().unwrap();
    let many = layer.model_limit(50).try_register().unwrap();
    for number in 0..10 {
        succeed(&many, &format!("model-{number}"));
    }
    assert_eq!(calls(&registry, "_overflow"), 8.0);
    drop(few);
    let (layer, registry) = self::layer();
    let many = layer.model_limit(300).try_register().unwrap();
    registry.record_llm_request(std::time::Duration::ZERO, true, 1, "gpt-x");
    for number in 0..299 {
        succeed(&many, &format!("model-{number}"));
    }
    assert_eq!(calls(&registry, "_overflow"), 0.0);
}

#[test]
fn manually_recorded_tokens_are_limited_like_those_of_responses() {
    let (layer, registry) = layer();
    let llm = layer.clone().try_register().unwrap();
    for _ in 0..3 {
        let mut call = start(&llm, "gpt-x");
        call.set_usage(Usage::new().input(u64::MAX).output(1 << 40));
        call.finish(Outcome::Success);
    }
    assert_eq!(tokens(&registry), [0.0, 3.0 * (1_u64 << 40) as f64]);
    let invalid = [("reason", "invalid")];
    assert_eq!(sum(&registry, "llm_usage_missing_total", &invalid), 3.0);
    registry.record_llm_request(std::time::Duration::ZERO, true, u64::MAX, "gpt-x");
    assert_eq!(sum(&registry, "llm_usage_missing_total", &invalid), 4.0);
    let unknown = [("direction", "unknown")];
    assert_eq!(sum(&registry, "llm_tokens_total", &unknown), 0.0);
}

/// The series at 0 of each label value, as alerts read them.
fn zeros(registry: &Registry, metric: &str, label: &str, model: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(&registry.export_json()).unwrap();
    let series = json["metrics"].as_object().unwrap().iter();
    let mut values: Vec<_> = series
        .filter(|(key, _)| key.split('{').next() == Some(metric))
        .filter(|(_, series)| series["labels"]["model"] == model && series["value"] == 0.0)
        .map(|(_, series)| series["labels"][label].as_str().unwrap().to_owned())
        .collect();
    values.sort();
    values
}

#[test]
fn the_counters_that_alerts_read_begin_at_0_before_the_first_call_ends() {
    use tachometer::llm::{Price, PriceTable};
    const OUTCOMES: [&str; 5] = ["cancelled", "error", "pending", "success", "truncated"];
    const REASONS: [&str; 5] = ["model", "service_tier", "token_kind", "unit", "usage"];

    let table = PriceTable::new().model("gpt-x", Price::per_million(1.0, 1.0));
    let (layer, registry) = layer();
    let layer = layer.prices(table).known_models(["configured"]);
    let layer = layer.predeclare("openai", "declared", "chat");
    let llm = layer.clone().try_register().unwrap();
    let check = |model: &str| {
        let zeros = |metric, label| zeros(&registry, metric, label, model);
        assert_eq!(zeros("llm_requests_total", "outcome"), OUTCOMES, "{model}");
        let limited = zeros("llm_requests_error", "error_type");
        assert_eq!(limited, ["rate_limited"], "{model}");
        let sources = zeros("llm_cost_usd_total", "source");
        assert_eq!(sources, ["reported", "table"], "{model}");
        let reasons = zeros("llm_unpriced_requests_total", "reason");
        assert_eq!(reasons, REASONS, "{model}");
    };
    check("declared");
    let configured = start(&llm, "configured");
    check("configured");
    let mut new = start(&llm, "new");
    check("_unconfirmed");
    new.first_token();
    check("new");
    let mut hidden = start(&llm, "sk-key");
    hidden.first_token();
    check("_overflow");
    drop((configured, new, hidden));
}
