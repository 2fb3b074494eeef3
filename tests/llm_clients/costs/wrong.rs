//! Costs that would be wrong or incomplete are not reported as exact.

use std::error::Error;
use std::fmt;

use http::{Request, Response};
use serde_json::{Value, json};
use tachometer::llm::{ErrorType, Outcome, Price, PriceTable, Unit, Usage};
use tachometer::{Buckets, LlmLayer, Registry};
use tower::{Service, service_fn};

use crate::support::local_client::{finish, open_as};
use crate::support::read::sum;

const OPENAI: &str = "https://api.openai.com/v1/chat/completions";
const GEMINI: &str =
    "https://generativelanguage.googleapis.com/v1/models/gem:streamGenerateContent?alt=sse";

fn priced(model: &str, price: Price) -> (LlmLayer, Registry) {
    let registry = Registry::new();
    let table = PriceTable::new().model(model, price);
    (LlmLayer::new().registry(&registry).prices(table), registry)
}

/// Returns the cost of calls, and how often it was unknown or incomplete.
fn bill(registry: &Registry) -> (f64, f64) {
    (
        sum(registry, "llm_cost_usd_total", &[]),
        sum(registry, "llm_unpriced_requests_total", &[]),
    )
}

fn missing(registry: &Registry, reason: &str) -> f64 {
    sum(registry, "llm_usage_missing_total", &[("reason", reason)])
}

fn call_with_usage(layer: &LlmLayer, requested: &str, answered: &str, usage: &Value) {
    let body = json!({"model": requested, "messages": []}).to_string();
    let choices = json!([{"index": 0, "finish_reason": "stop"}]);
    let answer = json!({"model": answered, "choices": choices, "usage": usage});
    finish(open_as(
        layer,
        OPENAI,
        body,
        Response::new(answer.to_string()),
    ));
}

fn tokens(input: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": 0})
}

#[test]
fn a_fallback_model_with_a_dated_name_has_its_own_price() {
    let registry = Registry::new();
    let table = PriceTable::new()
        .model("gpt-x", Price::per_million(2.5, 10.0))
        .model("gpt-x-mini", Price::per_million(0.15, 0.6));
    let layer = LlmLayer::new().registry(&registry).prices(table);
    call_with_usage(&layer, "gpt-x", "gpt-x-mini-2026-07-18", &tokens(1_000_000));
    assert_eq!(bill(&registry), (0.15, 0.0));
}

#[test]
fn the_price_of_a_model_is_not_that_of_another_whose_name_starts_with_its_name() {
    let gpt = Price::per_million(2.5, 10.0);
    for (model, expected) in [
        ("gpt-4o", (2.5, 0.0)),
        ("gpt-4o-2024-08-06", (2.5, 0.0)),
        ("openai/gpt-4o", (2.5, 0.0)),
        ("gpt-4o-mini", (0.0, 1.0)),
        ("gpt-4o-realtime-preview", (0.0, 1.0)),
        ("gpt-4.1", (0.0, 1.0)),
    ] {
        let (layer, registry) = priced("gpt-4o", gpt.clone());
        call_with_usage(&layer, model, model, &tokens(1_000_000));
        assert_eq!(bill(&registry), expected, "{model}");
    }
    let registry = Registry::new();
    let table = PriceTable::new()
        .model_prefix("gpt-4o", gpt)
        .model_prefix_at("openai", "gpt-4o-", Price::per_million(5.0, 5.0));
    let layer = LlmLayer::new().registry(&registry).prices(table);
    call_with_usage(&layer, "gpt-4o-mini", "gpt-4o-mini", &tokens(1_000_000));
    assert_eq!(bill(&registry), (5.0, 0.0));
}

#[test]
fn price_tiers_apply_in_any_order() {
    let price = |dollars| Price::per_million(dollars, dollars);
    for steps in [[(100, 2.0), (1_000, 4.0)], [(1_000, 4.0), (100, 2.0)]] {
        let all = steps.into_iter().fold(price(1.0), |all, (above, dollars)| {
            all.above(above, price(dollars))
        });
        for (input, dollars) in [(100, 0.000_1), (500, 0.001), (1_000, 0.002), (2_000, 0.008)] {
            let (layer, registry) = priced("m", all.clone());
            call_with_usage(&layer, "m", "m", &tokens(input));
            assert_eq!(bill(&registry), (dollars, 0.0), "{input}");
        }
    }
}

#[test]
fn a_price_of_a_call_with_a_step_needs_the_tokens() {
    let price = Price::per_call(0.01).above(100, Price::per_call(0.05));
    let (layer, registry) = priced("m", price);
    call_with_usage(&layer, "m", "m", &json!({}));
    assert_eq!(bill(&registry), (0.01, 1.0));
}

#[test]
fn usage_before_a_stream_broke_off_is_counted_as_incomplete() {
    let event = r#"data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9}}"#;
    let (layer, registry) = priced("gem", Price::per_million(1e6, 1e6));
    let answer = Response::builder().header("content-type", "text/event-stream");
    let answer = answer.body(format!("{event}\n\n")).unwrap();
    finish(open_as(&layer, GEMINI, "{}".into(), answer));
    assert_eq!(sum(&registry, "llm_tokens_total", &[]), 9.0);
    assert_eq!(missing(&registry, "truncated"), 1.0);
    assert_eq!(bill(&registry), (9.0, 1.0));

    // So is a cost that the provider reports in each event.
    let event = r#"data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"cost":{"total_cost":0.5}}}"#;
    let (layer, registry) = priced("other", Price::per_call(0.0));
    let answer = Response::builder().header("content-type", "text/event-stream");
    let answer = answer.body(format!("{event}\n\n")).unwrap();
    let body = json!({"model": "m", "stream": true}).to_string();
    finish(open_as(&layer, OPENAI, body, answer));
    assert_eq!(bill(&registry), (0.5, 1.0));
}

#[test]
fn units_beside_tokens_do_not_make_the_tokens_known() {
    let price = || Price::per_million(1e6, 1e6).unit(Unit::WebSearches, 0.01);
    let cases = [
        (Usage::new().billed(Unit::WebSearches, 0.0), 0.0),
        (Usage::new().billed(Unit::WebSearches, 1.0), 0.01),
        (Usage::new().input(1).billed(Unit::WebSearches, 1.0), 1.01),
        (Usage::new().billed(Unit::SearchUnits, 0.0), 0.0),
    ];
    for (usage, dollars) in cases {
        let (layer, registry) = priced("m", price());
        let mut call = layer.start_call("p", "m", "chat");
        call.set_usage(usage);
        call.finish(Outcome::Success);
        assert_eq!(bill(&registry), (dollars, 1.0), "{usage:?}");
    }
}

#[test]
fn an_impossible_cost_is_ignored() {
    let (layer, registry) = priced("m", Price::per_million(10.0, 10.0));
    call_with_usage(&layer, "m", "m", &tokens(1 << 40));
    assert_eq!(bill(&registry), (0.0, 1.0));
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 0, "cost": 1e6});
    call_with_usage(&layer, "m", "m", &usage);
    assert_eq!(bill(&registry), (0.000_01, 1.0));

    let (layer, registry) = priced("r", Price::per_call(0.0).unit(Unit::SearchUnits, 0.002));
    let answer = json!({"results": [], "meta": {"billed_units": {"search_units": 1e300}}});
    let answer = Response::new(answer.to_string());
    let body = json!({"model": "r"}).to_string();
    finish(open_as(
        &layer,
        "https://api.cohere.com/v2/rerank",
        body,
        answer,
    ));
    assert_eq!(sum(&registry, "llm_billed_units_total", &[]), 0.0);
    assert_eq!(bill(&registry).1, 1.0);
}

#[test]
fn the_cost_of_a_call_without_a_response_is_unknown() {
    for (error, unknown) in [
        (ErrorType::Timeout, 1.0),
        (ErrorType::Transport, 1.0),
        (ErrorType::Connect, 0.0),
        (ErrorType::RateLimited, 0.0),
    ] {
        for price in [Price::per_million(1.0, 1.0), Price::per_call(0.5)] {
            let (layer, registry) = priced("m", price);
            let call = layer.start_call("p", "m", "chat");
            call.finish(Outcome::Error(error));
            assert_eq!(bill(&registry), (0.0, unknown), "{error:?}");
            assert_eq!(missing(&registry, "error"), unknown, "{error:?}");
        }
    }
    // A gateway that says so by a status has refused it.
    let (layer, registry) = priced("m", Price::per_million(1.0, 1.0));
    let answer = Response::builder().status(504).body(String::new()).unwrap();
    let body = json!({"model": "m", "messages": []}).to_string();
    finish(open_as(&layer, OPENAI, body, answer));
    assert_eq!(bill(&registry), (0.0, 0.0));
}

#[test]
fn an_invalid_count_makes_the_cost_unknown() {
    let (layer, registry) = priced("m", Price::per_million(1.0, 1.0).cache_read(0.1));
    let details = json!({"cached_tokens": -1});
    let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 0, "prompt_tokens_details": details});
    call_with_usage(&layer, "m", "m", &usage);
    assert_eq!(bill(&registry), (1.0, 1.0));
    assert_eq!(missing(&registry, "invalid"), 1.0);
}

#[test]
fn calls_are_recorded_manually_next_to_a_layer_with_other_buckets() {
    let registry = Registry::new();
    let layer = LlmLayer::new()
        .registry(&registry)
        .buckets(Buckets::new(&[1.0, 2.0]).unwrap());
    drop(layer.clone().try_register().unwrap());
    let _llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    registry.record_llm_request(std::time::Duration::from_secs(1), true, 5, "m");
    assert_eq!(sum(&registry, "llm_requests_total", &[]), 1.0);
}

#[test]
fn a_host_may_be_an_address_with_a_port_and_the_port_of_its_scheme() {
    for (host, url, is_it) in [
        ("[::1]:8080", "http://[::1]:8080/v1/chat/completions", true),
        ("[::1]", "http://[::1]:8080/v1/chat/completions", true),
        ("[::1]:8081", "http://[::1]:8080/v1/chat/completions", false),
        (
            "llm.internal:443",
            "https://llm.internal/v1/chat/completions",
            true,
        ),
        (
            "llm.internal:80",
            "http://llm.internal/v1/chat/completions",
            true,
        ),
        (
            "llm.internal:80",
            "https://llm.internal/v1/chat/completions",
            false,
        ),
    ] {
        let registry = Registry::new();
        let layer = LlmLayer::new()
            .registry(&registry)
            .provider_for_host(host, "mine");
        let body = json!({"model": "m", "messages": []}).to_string();
        finish(open_as(&layer, url, body, Response::new("{}".to_owned())));
        let mine = sum(&registry, "llm_requests_total", &[("provider", "mine")]);
        assert_eq!(mine == 1.0, is_it, "{host}, {url}");
    }
}

/// An error whose text is made by code that panics.
#[derive(Debug)]
struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl Error for Panics {}

#[tokio::test]
async fn an_error_whose_text_panics_is_returned_as_it_is() {
    let registry = Registry::new();
    let client = service_fn(async |_: Request<String>| {
        Err::<Response<String>, _>(Box::<dyn Error + Send + Sync>::from(Panics))
    });
    let mut client = LlmLayer::new().registry(&registry).layer(client);
    let request = Request::post(OPENAI).body(r#"{"model":"m"}"#.to_owned());
    let error = client.call(request.unwrap()).await.err().unwrap();
    assert!(error.is::<Panics>());
    assert_eq!(
        sum(
            &registry,
            "llm_requests_error",
            &[("error_type", "transport")]
        ),
        1.0
    );
}
