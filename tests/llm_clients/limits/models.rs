//! Models come from callers and servers, who may invent them.

use std::fs;

use tachometer::Registry;

use crate::support::answers::CHAT;
use crate::support::local::call;
use crate::support::read::{series, sum};
use crate::support::{layer, outcomes, tokens};

const INVENTED: u32 = 250_000;
/// Were each kept, in each of the families, it would be many times this.
const MOST_BYTES: u64 = 200 << 20;

/// Returns the resident memory of this process in bytes, where the system says.
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

#[test]
fn models_invented_by_the_thousand_take_no_more_memory_than_a_hundred() {
    let (layer, registry) = layer();
    let layer = layer.models(["configured"]);
    let before = resident();
    let metrics = layer.metrics();
    for number in 0..INVENTED {
        drop(metrics.start("chat", "openai", &format!("invented-{number}")));
    }
    drop(metrics.start("chat", "openai", "configured"));
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
    assert_eq!(outcomes(&registry)[0], f64::from(INVENTED + 1));
    // A series of each of the 102 models in the four families that have one.
    assert_eq!(series(&registry), 4 * 102);
}

#[test]
fn all_families_agree_on_who_is_over_the_limit_and_the_sums_are_exact() {
    let (layer, registry) = layer();
    let layer = layer.limit(3).models(["pinned"]);
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
fn a_model_as_long_as_a_prompt_is_none_to_be_told() {
    let (layer, registry) = layer();
    let long = "x".repeat(5_000);
    call(&layer, CHAT, &long);
    drop(layer.metrics().start("chat", "openai", &long));
    assert_eq!(calls(&registry, "_overflow"), 2.0);
    assert!(!registry.export_prometheus().contains("xxxxx"));
}

#[test]
fn a_limit_that_the_registry_has_already_stays() {
    let (layer, registry) = layer();
    let few = layer.clone().limit(2).metrics();
    let many = layer.limit(50).metrics();
    for number in 0..10 {
        drop(many.start("chat", "openai", &format!("model-{number}")));
    }
    assert_eq!(calls(&registry, "_overflow"), 8.0);
    drop(few);
    let (layer, registry) = self::layer();
    let many = layer.limit(300).metrics();
    registry.record_llm_request(std::time::Duration::ZERO, true, 1, "gpt-x");
    for number in 0..299 {
        drop(many.start("chat", "openai", &format!("model-{number}")));
    }
    assert_eq!(calls(&registry, "_overflow"), 0.0);
}
