//! Costs that the provider or a gateway reports.

use http::Response;
use serde_json::{Value, json};
use tachometer::LlmLayer;
use tachometer::llm::{Price, PriceTable};

use super::{cost, priced, unpriced};
use crate::support::local_client::{finish, open_as};
use crate::support::read::sum;

const OPENROUTER: &str = "https://openrouter.ai/api/v1/chat/completions";

/// Makes a call of OpenRouter's that answers with this usage.
fn call_with_usage(layer: &LlmLayer, usage: &Value) {
    let answer = json!({
        "model": "gpt-x-2026-01-01",
        "choices": [{"index": 0, "finish_reason": "stop"}],
        "usage": usage,
    });
    let body = json!({"model": "alias", "messages": []}).to_string();
    let answer = Response::new(answer.to_string());
    finish(open_as(layer, OPENROUTER, body, answer));
}

#[test]
fn the_price_is_that_of_the_responding_model() {
    let tokens = json!({"prompt_tokens": 1_000_000, "completion_tokens": 0});
    let requested_price = Price::per_million(1.0, 1.0);
    let answered = Price::per_million(2.0, 2.0);
    let table = PriceTable::new().model("alias", requested_price);
    let (layer, registry) = priced(table.clone().model("gpt-x-2026-01-01", answered));
    call_with_usage(&layer, &tokens);
    assert_eq!(cost(&registry, "table"), 2.0);
    // Without a price of its own it has that of its alias.
    let (layer, registry) = priced(table);
    call_with_usage(&layer, &tokens);
    assert_eq!(cost(&registry, "table"), 1.0);
}

#[test]
fn a_cost_reported_by_the_provider_is_used() {
    let (layer, registry) = priced(PriceTable::new().model("gpt-x", Price::per_million(1.0, 1.0)));
    let tokens = |more: Value| {
        let mut usage = json!({"prompt_tokens": 10, "completion_tokens": 5});
        let more = more.as_object().unwrap().clone();
        usage.as_object_mut().unwrap().extend(more);
        usage
    };
    call_with_usage(&layer, &tokens(json!({"cost": 0.0123})));
    assert_eq!(cost(&registry, "reported"), 0.0123);
    // A key of the caller's own, whose owner pays elsewhere, too.
    let elsewhere = json!({"upstream_inference_cost": 0.5});
    let byok_cost = json!({"cost": 0.01, "is_byok": true, "cost_details": elsewhere});
    call_with_usage(&layer, &tokens(byok_cost));
    assert_eq!(cost(&registry, "reported"), 0.5223);
    call_with_usage(&layer, &tokens(json!({"cost_in_usd_ticks": 37_756_000})));
    assert_eq!(cost(&registry, "reported"), 0.526_075_6);
    assert_eq!(cost(&registry, "table"), 0.0);
    // What is no cost leaves it to the table, which has the model that answered.
    for no_cost in [
        json!(-1),
        json!("one"),
        json!(null),
        json!(1e300),
        json!({"x": 1}),
    ] {
        let before = cost(&registry, "table");
        call_with_usage(&layer, &tokens(json!({"cost": no_cost})));
        let found = cost(&registry, "table") - before;
        assert!((found - 0.000_015).abs() < 1e-12, "{no_cost}: {found}");
    }
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
}

#[test]
fn a_cost_in_a_header_of_a_gateway_is_used_unless_it_is_0() {
    let (layer, registry) = priced(PriceTable::new());
    for (header, is_priced) in [("0.25", true), ("0.0", false), ("None", false)] {
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
        let text = json!({"choices": [], "usage": usage}).to_string();
        let answer = Response::builder().header("x-litellm-response-cost", header);
        let answer = answer.body(text).unwrap();
        let body = json!({"model": "m"}).to_string();
        finish(open_as(
            &layer,
            "http://localhost/v1/chat/completions",
            body,
            answer,
        ));
        assert_eq!(unpriced(&registry, "model") == 0.0, is_priced, "{header}");
    }
    assert_eq!(cost(&registry, "reported"), 0.25);
}
