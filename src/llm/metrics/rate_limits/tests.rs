use std::time::Duration;

use crate::context::RequestRoute;
use crate::llm::facts::{CallTarget, ModelEvidence, RateLimit};
use crate::llm::metrics::LlmMetrics;
use crate::metric::advance;
use crate::registry::Registry;

/// Records what a response reports: remaining, limit, and seconds until the reset.
fn respond(metrics: &LlmMetrics, remaining: f64, limit: Option<f64>, reset: Option<f64>) {
    let limit = RateLimit {
        kind: "requests",
        remaining,
        limit,
        reset: reset.map(Duration::from_secs_f64),
    };
    let target = CallTarget {
        provider: "openai".into(),
        model: Some("m".into()),
        operation: "chat".into(),
        model_evidence: ModelEvidence::AcceptedRequest,
        has_series: false,
        route: RequestRoute::default(),
    };
    metrics.record_rate_limits(&target, [limit].into_iter());
}

/// Returns what is exported: remaining, limit and reset.
fn exported(registry: &Registry) -> [Option<f64>; 3] {
    ["_remaining", "", "_reset_seconds"].map(|end| {
        let metric = registry.get(&format!("llm_rate_limit{end}")).unwrap();
        (metric.series() > 0).then(|| metric.value())
    })
}

fn advance_seconds(seconds: u64) {
    advance(Duration::from_secs(seconds));
}

fn metrics() -> (LlmMetrics, Registry) {
    let registry = Registry::new();
    (LlmMetrics::new(&registry).unwrap(), registry)
}

#[test]
fn a_limit_is_exported_for_an_hour_and_its_remainder_for_a_minute() {
    let (metrics, registry) = metrics();
    assert_eq!(exported(&registry), [None; 3]);
    respond(&metrics, 59.0, Some(60.0), Some(0.006));
    let low = [Some(59.0), Some(60.0), Some(0.006)];
    assert_eq!(exported(&registry), low);
    advance_seconds(50);
    assert_eq!(exported(&registry), low);
    // A second reader gets the same values.
    assert_eq!(exported(&registry), low);
    advance_seconds(20);
    let full = [Some(60.0), Some(60.0), None];
    assert_eq!(exported(&registry), full);
    advance_seconds(3_600 - 100);
    assert_eq!(exported(&registry), full);
    advance_seconds(60);
    assert_eq!(exported(&registry), [None; 3]);
    // Each report of the limit starts the hour again.
    respond(&metrics, 1.0, Some(50.0), None);
    advance_seconds(3_570);
    assert_eq!(exported(&registry), [Some(50.0), Some(50.0), None]);
}

#[test]
fn the_lowest_remaining_and_the_longest_reset_of_the_last_minute_are_exported() {
    let (metrics, registry) = metrics();
    respond(&metrics, 30.0, Some(60.0), Some(30.0));
    advance_seconds(20);
    respond(&metrics, 2.0, Some(60.0), Some(58.0));
    advance_seconds(20);
    // A reset may be later than the end of the minute.
    respond(&metrics, 40.5, Some(60.0), Some(7_200.0));
    assert_eq!(exported(&registry), [Some(2.0), Some(60.0), Some(7_200.0)]);
    advance_seconds(45);
    assert_eq!(exported(&registry), [Some(40.5), Some(60.0), Some(7_200.0)]);
    // The newest limit counts.
    respond(&metrics, 41.0, Some(100.0), Some(1.0));
    assert_eq!(
        exported(&registry),
        [Some(40.5), Some(100.0), Some(7_200.0)]
    );
    advance_seconds(66);
    assert_eq!(exported(&registry), [Some(100.0), Some(100.0), None]);
}

#[test]
fn without_a_limit_nothing_is_exported_after_a_minute() {
    let (metrics, registry) = metrics();
    respond(&metrics, 5.0, None, None);
    assert_eq!(exported(&registry), [Some(5.0), None, None]);
    advance_seconds(66);
    assert_eq!(exported(&registry), [None; 3]);
}
