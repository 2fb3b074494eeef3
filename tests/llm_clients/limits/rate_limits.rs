//! Rate limits reported by a provider are exported.

use http::Response;
use tachometer::{LlmLayer, Registry};

use crate::support::layer;
use crate::support::local_client::{finish, open};
use crate::support::responses::{CHAT, chat};

/// Makes a call whose response reports these limits in its headers.
fn answered(layer: &LlmLayer, headers: &[(&str, &str)]) {
    let mut answer = Response::builder();
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    finish(open(
        layer,
        CHAT,
        answer.body(chat("gpt-x", 3, 2).to_string()).unwrap(),
    ));
}

/// Returns the exported limits: name, kind and number.
fn shown(registry: &Registry) -> Vec<String> {
    let text = registry.export_prometheus();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("llm_rate_limit"));
    let labels = |line: &str| {
        let (name, rest) = line.split_once('{').unwrap();
        let (labels, number) = rest.split_once("} ").unwrap();
        assert!(labels.contains(r#"model="gpt-x""#), "{line}");
        let (_, kind) = labels.split_once(r#"kind=""#).unwrap();
        let (kind, _) = kind.split_once('"').unwrap();
        format!(
            "{} {kind} {number}",
            name.strip_prefix("llm_rate_limit").unwrap()
        )
    };
    let mut shown: Vec<_> = lines.map(labels).collect();
    shown.sort();
    shown
}

#[test]
fn limits_of_openai_compatible_providers_are_exported_although_they_refill_at_once() {
    let (layer, registry) = layer();
    answered(
        &layer,
        &[
            ("x-ratelimit-remaining-requests", "58"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6h"),
        ],
    );
    let all = [
        " requests 60",
        "_remaining requests 58",
        "_remaining tokens 149984",
        "_reset_seconds requests 0.006",
        "_reset_seconds tokens 21600",
    ];
    assert_eq!(shown(&registry), all);
    // The lowest remaining and the longest reset are still shown.
    answered(
        &layer,
        &[
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-reset-requests", "0"),
        ],
    );
    assert_eq!(shown(&registry), all);
    answered(
        &layer,
        &[
            ("x-ratelimit-remaining-requests", "57"),
            ("x-ratelimit-limit-requests", "61"),
            ("x-ratelimit-reset-requests", "2m"),
        ],
    );
    let all = [
        " requests 61",
        "_remaining requests 57",
        "_remaining tokens 149984",
        "_reset_seconds requests 120",
        "_reset_seconds tokens 21600",
    ];
    assert_eq!(shown(&registry), all);
}

#[test]
fn limits_of_anthropic_are_exported() {
    let (layer, registry) = layer();
    answered(
        &layer,
        &[
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-reset", "2001-01-01T00:00:00Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "30000"),
            ("anthropic-ratelimit-input-tokens-reset", "soon"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
        ],
    );
    let all = [
        " requests 50",
        "_remaining input_tokens 30000",
        "_remaining output_tokens 8000",
        "_remaining requests 49",
        "_reset_seconds requests 0",
    ];
    assert_eq!(shown(&registry), all);
}

#[test]
fn invalid_or_incomplete_limits_are_left_out() {
    let (layer, registry) = layer();
    answered(
        &layer,
        &[
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-tokens", "many"),
            ("anthropic-ratelimit-input-tokens-remaining", "NaN"),
            ("anthropic-ratelimit-output-tokens-remaining", "inf"),
            ("anthropic-ratelimit-tokens-limit", "7"),
        ],
    );
    assert_eq!(shown(&registry), [""; 0]);
    answered(
        &layer,
        &[
            ("x-ratelimit-remaining-tokens", "5"),
            ("x-ratelimit-limit-tokens", "-1"),
        ],
    );
    assert_eq!(shown(&registry), ["_remaining tokens 5"]);
}

/// An error response has limits in its headers, too.
#[test]
fn error_responses_report_limits_too() {
    let (layer, registry) = layer();
    let layer = layer.known_models(["gpt-x"]);
    let answer = Response::builder().status(429);
    let answer = answer.header("x-ratelimit-remaining-tokens", "0");
    let answer = answer.header("x-ratelimit-limit-tokens", "150000");
    finish(open(&layer, CHAT, answer.body(String::new()).unwrap()));
    assert_eq!(shown(&registry), [" tokens 150000", "_remaining tokens 0"]);
}
