//! The rate limits that the headers of a response report.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName};

use crate::llm::facts::RateLimit;

/// The kinds of limits, and their headers: remaining, limit and reset. First those of OpenAI
/// and compatible servers, then those of Anthropic.
const HEADERS: [(&str, [&str; 3]); 6] = [
    (
        "requests",
        [
            "x-ratelimit-remaining-requests",
            "x-ratelimit-limit-requests",
            "x-ratelimit-reset-requests",
        ],
    ),
    (
        "tokens",
        [
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-limit-tokens",
            "x-ratelimit-reset-tokens",
        ],
    ),
    (
        "requests",
        [
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-reset",
        ],
    ),
    (
        "tokens",
        [
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-reset",
        ],
    ),
    (
        "input_tokens",
        [
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-reset",
        ],
    ),
    (
        "output_tokens",
        [
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-reset",
        ],
    ),
];

/// Returns the limits in the headers of a response.
pub(crate) fn rate_limits(headers: &HeaderMap, now: SystemTime) -> impl Iterator<Item = RateLimit> {
    // Most responses have no limits. One pass over their headers is enough to see that.
    let is_rate_limit = |name: &HeaderName| name.as_str().contains("ratelimit-");
    let kinds = if headers.keys().any(is_rate_limit) {
        &HEADERS[..]
    } else {
        &[]
    };
    kinds.iter().filter_map(move |(kind, names)| {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let [remaining, limit, reset] = names.map(text);
        Some(RateLimit {
            kind,
            remaining: number(remaining?)?,
            limit: limit.and_then(number),
            reset: reset.and_then(|reset| parse_reset(reset, now)),
        })
    })
}

/// Returns a number, if it is not negative: Azure sends -1 for unknown.
fn number(text: &str) -> Option<f64> {
    let number = text.trim().parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Returns the time until a reset, from seconds, a timestamp (RFC 3339), or a duration in Go's
/// format (`6m0s`, `20ms`).
fn parse_reset(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Some(seconds) = number(text) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    if let Ok(time) = humantime::parse_rfc3339_weak(text) {
        return Some(time.duration_since(now).unwrap_or_default());
    }
    parse_go_duration(text)
}

fn parse_go_duration(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    let mut remaining = text;
    while !remaining.is_empty() {
        let digits = remaining.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number = number(&remaining[..digits])?;
        remaining = &remaining[digits..];
        let unit = remaining
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(remaining.len());
        seconds += number
            * match &remaining[..unit] {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" | "μs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        remaining = &remaining[unit..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_a_duration_a_timestamp_or_seconds() {
        let now = humantime::parse_rfc3339("2026-11-23T00:00:00Z").unwrap();
        for (text, expected) in [
            ("6m0s", Some(360.0)),
            ("20ms", Some(0.02)),
            ("1h2m3.5s", Some(3_723.5)),
            ("12", Some(12.0)),
            ("0", Some(0.0)),
            ("2026-11-23T00:01:30Z", Some(90.0)),
            ("2026-11-22T00:01:30Z", Some(0.0)),
            ("-5s", None),
            ("5", Some(5.0)),
            ("5parsecs", None),
            ("", None),
            ("999999999999999999999h", None),
            ("NaN", None),
        ] {
            let reset = parse_reset(text, now).map(|time| time.as_secs_f64());
            assert_eq!(reset, expected, "{text:?}");
        }
    }

    #[test]
    fn the_headers_of_openai_and_anthropic_are_read_without_invalid_numbers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-remaining-tokens", "-1"),
            ("anthropic-ratelimit-input-tokens-remaining", "12000"),
            ("anthropic-ratelimit-output-tokens-remaining", "many"),
            ("anthropic-ratelimit-requests-limit", "50"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let limits: Vec<_> = rate_limits(&headers, SystemTime::UNIX_EPOCH).collect();
        let requests = RateLimit {
            kind: "requests",
            remaining: 59.0,
            limit: Some(60.0),
            reset: Some(Duration::from_secs(1)),
        };
        let input = RateLimit {
            kind: "input_tokens",
            remaining: 12_000.0,
            limit: None,
            reset: None,
        };
        assert_eq!(limits, [requests, input]);
    }
}
