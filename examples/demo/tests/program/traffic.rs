//! The generated traffic.

use crate::support::Demo;

/// A metric, and a part of its labels.
type Sample = (&'static str, &'static str);

const LLM: [Sample; 16] = [
    ("llm_requests_total", "outcome=\"success\""),
    ("llm_requests_total", "outcome=\"error\""),
    ("llm_requests_total", "outcome=\"cancelled\""),
    ("llm_requests_total", "outcome=\"truncated\""),
    ("llm_tokens_total", "direction=\"input\""),
    ("llm_tokens_total", "direction=\"output\""),
    ("llm_time_to_first_token_seconds_count", "openai"),
    ("llm_time_to_first_token_seconds_count", "anthropic"),
    ("llm_time_to_first_token_seconds_count", "ollama"),
    ("llm_requests_in_flight", "provider"),
    ("llm_rate_limit_remaining", "requests"),
    ("llm_cost_usd_total", "source=\"table\""),
    ("llm_route_cost_usd_total", "route=\"/ask\""),
    (
        "llm_route_cost_usd_total",
        "route=\"/api/users/{id}/summary\"",
    ),
    (
        "llm_route_requests_total",
        "embeddings\",route=\"/api/users/{id}/summary\"",
    ),
    ("llm_unpriced_requests_total", "reason=\"model\""),
];

const REQUESTS: &str = "http_requests_total";

const HTTP: [Sample; 29] = [
    (REQUESTS, r#""GET",route="/",status="200""#),
    (REQUESTS, r#""HEAD",route="/",status="200""#),
    (REQUESTS, r#"route="/static",status="200""#),
    (REQUESTS, r#"route="/static",status="304""#),
    (REQUESTS, r#"route="/api/users/{id}",status="200""#),
    (REQUESTS, r#"route="/api/users/{id}",status="404""#),
    (
        REQUESTS,
        r#""GET",route="/api/users/{id}/items",status="200""#,
    ),
    (REQUESTS, r#"route="/api/users/{id}/items",status="201""#),
    (REQUESTS, r#"route="/api/users/{id}/items",status="413""#),
    (REQUESTS, r#"route="/api/users/{id}/items",status="422""#),
    (REQUESTS, r#""OPTIONS",route="/api/users/{id}/items""#),
    (
        REQUESTS,
        r#"route="/api/users/{id}/items/{item}",status="200""#,
    ),
    (
        REQUESTS,
        r#"route="/api/users/{id}/items/{item}",status="204""#,
    ),
    (REQUESTS, r#"route="/api/users/{id}/summary",status="200""#),
    (REQUESTS, r#"route="/account/profile",status="401""#),
    (
        REQUESTS,
        r#"route="/account/profile",status="200",plan="paid",outcome="ok""#,
    ),
    (
        REQUESTS,
        r#"route="/account/greeting",status="200",plan="free",outcome="ok""#,
    ),
    (REQUESTS, r#"route="/ask",status="200""#),
    (REQUESTS, r#"route="/search",status="200""#),
    (REQUESTS, r#"route="/search",status="429""#),
    (REQUESTS, r#"route="/slow",status="504""#),
    (
        REQUESTS,
        r#"route="/slow",status="none",plan="none",outcome="cancelled_before_head""#,
    ),
    (REQUESTS, r#"route="/fail",status="500""#),
    (
        REQUESTS,
        r#"route="/events",status="200",plan="none",outcome="ok""#,
    ),
    (
        REQUESTS,
        r#"route="/events",status="200",plan="none",outcome="cancelled_in_body""#,
    ),
    (REQUESTS, r#"route="/chat",status="101""#),
    (REQUESTS, r#"route="/uploads",status="200""#),
    (REQUESTS, r#"route="/uploads",status="413""#),
    (REQUESTS, r#"route="unmatched",status="404""#),
];

#[tokio::test]
async fn the_traffic_reaches_every_route_and_outcome_and_stops_first() {
    let mut demo = Demo::start_with(&[]);
    let is_seen = |metrics: &str, (name, labels): &Sample| {
        metrics.lines().any(|line| {
            let is_sample = line.starts_with(&format!("{name}{{")) && line.contains(labels);
            is_sample && !line.ends_with(" 0")
        })
    };
    for wanted in LLM.iter().chain(&HTTP) {
        println!("{wanted:?}");
        demo.scrape_until(|metrics| is_seen(metrics, wanted)).await;
    }
    demo.signal("INT");
    let (status, errors) = demo.exited().await;
    assert!(status.success(), "{status}");
    // The log has no line for a request, and none of the shutdown.
    assert_eq!(errors, "");
}
