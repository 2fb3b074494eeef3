//! Tests of the LLM section of a view.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dashboards::view::View;
use crate::metric::{Counter, Family, Gauge};
use crate::registry::Registry;
use crate::snapshot::Role;

/// The metrics of LLM calls.
struct LlmFamilies {
    calls: Family<Counter, 4>,
    tokens: Family<Counter, 4>,
    remaining: Family<Gauge, 4>,
    limit: Family<Gauge, 4>,
}

impl LlmFamilies {
    fn new(registry: &Registry) -> Self {
        let labels = |last| ["provider", "model", "operation", last];
        let counter = |role: Role, name, last| {
            let registry = registry.with_role(role);
            registry.counter_family(name, "", labels(last)).unwrap()
        };
        let gauge = |role: Role, name| {
            let registry = registry.with_role(role);
            registry.gauge_family(name, "", labels("kind")).unwrap()
        };
        Self {
            calls: counter(Role::LlmRequests, "llm_requests_total", "outcome"),
            tokens: counter(Role::LlmTokens, "llm_tokens_total", "direction"),
            remaining: gauge(Role::LlmRateLimitRemaining, "llm_rate_limit_remaining"),
            limit: gauge(Role::LlmRateLimit, "llm_rate_limit"),
        }
    }
}

#[test]
fn an_unreported_cost_is_unknown_and_not_0() {
    let registry = Registry::new();
    let llm_metrics = LlmFamilies::new(&registry);
    let mut view = View::new(&registry, "");
    let started = Instant::now();
    let mut at = |seconds| -> Value {
        let text = view.render_at(started + Duration::from_secs(seconds));
        serde_json::from_str(&text).unwrap()
    };
    let call = |last| ["acme", "large", "chat", last];
    llm_metrics.calls.with(call("ok")).inc();
    llm_metrics.tokens.with(call("input")).inc_by(7);
    at(0);
    llm_metrics.calls.with(call("ok")).inc();
    llm_metrics.calls.with(call("error")).inc();
    llm_metrics.calls.with(call("truncated")).inc();
    llm_metrics.calls.with(call("cancelled")).inc();
    llm_metrics.tokens.with(call("input")).inc_by(10);
    llm_metrics.tokens.with(call("output")).inc_by(4);
    for (kind, limit, remaining) in [("requests", 100, 80), ("tokens", 1_000, 250)] {
        llm_metrics.limit.with(call(kind)).set(limit);
        llm_metrics.remaining.with(call(kind)).set(remaining);
    }
    let view = at(2);
    let llm = &view["llm"];
    assert!(llm["cost"].is_null() && llm["cost_per_hour"].is_null());
    assert_eq!(llm["total"], 5);
    assert_eq!(llm["rate"], 2);
    assert_eq!(llm["errors"], 0.5);
    assert_eq!(llm["tokens"], serde_json::json!([17, 4, 0]));
    assert_eq!([&llm["input"], &llm["output"]], [5, 2]);
    assert_eq!(llm["models"][0]["model"], "large");
    assert_eq!(llm["models"][0]["rate_limit_remaining"], 0.25);
    assert!(view["history"].get("cost").is_none());

    let dollars = registry.with_role(Role::LlmCost);
    let labels = ["provider", "model", "operation"];
    let dollars: Family<Counter, 3> = dollars
        .counter_family("llm_cost_dollars_total", "", labels)
        .unwrap();
    for operation in ["chat", "embeddings"] {
        dollars.with(["acme", "large", operation]).inc_by(0.25);
    }
    let view = at(4);
    assert_eq!(view["llm"]["cost"], 0.5);
    assert_eq!(view["llm"]["cost_per_hour"], 450);
    assert_eq!(
        view["history"]["cost"],
        serde_json::json!([null, null, 900])
    );
}

#[test]
fn counters_that_are_created_at_0_are_neither_a_cost_nor_a_row() {
    let registry = Registry::new();
    let llm_metrics = LlmFamilies::new(&registry);
    let mut view = View::new(&registry, "");
    let started = Instant::now();
    let mut at = |seconds| -> Value {
        let text = view.render_at(started + Duration::from_secs(seconds));
        serde_json::from_str(&text).unwrap()
    };
    let labels = ["provider", "model", "operation", "by"];
    let family = |role, name| {
        let registry = registry.with_role(role);
        registry.counter_family::<4>(name, "", labels).unwrap()
    };
    let cost = family(Role::LlmCost, "llm_cost_usd_total");
    let unpriced = family(Role::LlmUnpriced, "llm_unpriced_requests_total");
    let call = |last| ["acme", "large", "chat", last];
    llm_metrics
        .calls
        .with(["acme", "_unconfirmed", "chat", "error"]);
    llm_metrics.calls.with(call("ok")).inc();
    cost.with(call("table"));
    unpriced.with(call("model")).inc();
    let llm = &at(0)["llm"];
    assert!(llm["cost"].is_null(), "{llm}");
    assert_eq!(llm["models"].as_array().unwrap().len(), 1, "{llm}");
    // A rejected call needs no price, and does not make the other one free.
    llm_metrics.calls.with(call("error")).inc();
    let llm = &at(2)["llm"];
    assert!(llm["cost"].is_null(), "{llm}");
    // A model with a price may be free, even if the usage of a call is unknown.
    let free = |last| ["acme", "free", "chat", last];
    llm_metrics.calls.with(free("ok")).inc();
    cost.with(free("table"));
    unpriced.with(free("usage")).inc();
    // A model that was only called by another model has no calls, but has a row.
    cost.with(["acme", "advisor", "chat", "table"]).inc_by(0.5);
    let llm = &at(4)["llm"];
    let row = |name: &str| {
        let rows = llm["models"].as_array().unwrap();
        let row = rows.iter().find(|row| row["model"] == name);
        row.unwrap_or_else(|| panic!("no row of {name}: {llm}"))
    };
    assert_eq!(row("free")["cost"], 0, "{llm}");
    assert_eq!(row("advisor")["cost"], 0.5, "{llm}");
    assert_eq!(llm["models"].as_array().unwrap().len(), 3, "{llm}");
}
