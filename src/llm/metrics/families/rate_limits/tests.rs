use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::llm::LlmMetrics;
use crate::llm::call::guard::Proof;
use crate::llm::response::rate_limit::headroom;
use crate::metric::advance;
use crate::registry::Registry;

/// Records what the head of an answer reports: remaining, limit and reset.
fn answered(metrics: &LlmMetrics, values: [&str; 3]) {
    let mut headers = HeaderMap::new();
    for (what, value) in ["remaining", "limit", "reset"].into_iter().zip(values) {
        let name = format!("x-ratelimit-{what}-requests");
        let name = HeaderName::try_from(name).unwrap();
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    let limits = headroom(&headers, SystemTime::UNIX_EPOCH);
    metrics.limits("openai", Some("m"), "chat", Proof::Request, limits);
}

/// Returns what is shown: remaining, limit and reset.
fn shown(registry: &Registry) -> [Option<f64>; 3] {
    ["_remaining", "", "_reset_seconds"].map(|end| {
        let metric = registry.get(&format!("llm_rate_limit{end}")).unwrap();
        (metric.series() > 0).then(|| metric.value())
    })
}

fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds));
}

fn metrics() -> (LlmMetrics, Registry) {
    let registry = Registry::new();
    (LlmMetrics::new(&registry).unwrap(), registry)
}

#[test]
fn a_limit_is_shown_for_an_hour_and_what_remains_of_it_for_a_minute() {
    let (metrics, registry) = metrics();
    assert_eq!(shown(&registry), [None; 3]);
    answered(&metrics, ["59", "60", "6ms"]);
    let low = [Some(59.0), Some(60.0), Some(0.006)];
    assert_eq!(shown(&registry), low);
    seconds(50);
    assert_eq!(shown(&registry), low);
    // Other readers see the same.
    assert_eq!(shown(&registry), low);
    seconds(20);
    let full = [Some(60.0), Some(60.0), None];
    assert_eq!(shown(&registry), full);
    seconds(3_600 - 100);
    assert_eq!(shown(&registry), full);
    seconds(60);
    assert_eq!(shown(&registry), [None; 3]);
    // Each report of the limit counts anew.
    answered(&metrics, ["1", "50", ""]);
    seconds(3_570);
    assert_eq!(shown(&registry), [Some(50.0), Some(50.0), None]);
}

#[test]
fn the_lowest_remaining_and_the_longest_reset_of_the_last_minute_are_shown() {
    let (metrics, registry) = metrics();
    answered(&metrics, ["30", "60", "30s"]);
    seconds(20);
    answered(&metrics, ["2", "60", "58s"]);
    seconds(20);
    // A reset that is longer than a minute changes nothing.
    answered(&metrics, ["40.5", "60", "2h"]);
    assert_eq!(shown(&registry), [Some(2.0), Some(60.0), Some(7_200.0)]);
    seconds(45);
    assert_eq!(shown(&registry), [Some(40.5), Some(60.0), Some(7_200.0)]);
    // The newest limit counts.
    answered(&metrics, ["41", "100", "1s"]);
    assert_eq!(shown(&registry), [Some(40.5), Some(100.0), Some(7_200.0)]);
    seconds(66);
    assert_eq!(shown(&registry), [Some(100.0), Some(100.0), None]);
}

#[test]
fn without_a_limit_nothing_is_shown_after_a_minute() {
    let (metrics, registry) = metrics();
    answered(&metrics, ["5", "", "-3s"]);
    assert_eq!(shown(&registry), [Some(5.0), None, None]);
    seconds(66);
    assert_eq!(shown(&registry), [None; 3]);
    // A limit by itself says nothing of what remains.
    answered(&metrics, ["", "60", "1s"]);
    answered(&metrics, ["-1", "60", "1s"]);
    answered(&metrics, ["many", "60", "1s"]);
    assert_eq!(shown(&registry), [None; 3]);
}
