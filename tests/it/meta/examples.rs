//! The examples as programs, each with the tiny upstream of its own.

use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::support::example::{command, listening, told};
use crate::support::loopback::Caller;

const LABELS: &str = r#"provider="openai_compatible",model="gpt-4o-mini",operation="chat""#;

#[test]
fn the_example_of_reqwest_prints_two_answers_and_what_they_took() {
    let told = told("llm_reqwest");
    assert_eq!(told.matches("It turns quite fast.\n").count(), 2, "{told}");
    holds(&told, "llm_requests_total", "outcome=\"success\"", 2);
    holds(&told, "llm_tokens_total", "direction=\"input\"", 42);
    holds(&told, "llm_tokens_total", "direction=\"output\"", 8);
}

#[test]
fn the_example_of_async_openai_counts_both_attempts() {
    let told = told("llm_async_openai");
    assert!(told.starts_with("It turns quite fast.\n"), "{told}");
    holds(&told, "llm_requests_total", "outcome=\"error\"", 1);
    holds(&told, "llm_requests_total", "outcome=\"success\"", 1);
    holds(&told, "llm_tokens_total", "direction=\"output\"", 4);
}

#[test]
fn the_example_of_retries_counts_one_call_and_its_three_attempts() {
    let told = told("llm_retries");
    let line = |name, model, outcome| {
        format!(
            "{name}{{provider=\"openai_compatible\",model=\"{model}\",operation=\"chat\",\
             outcome=\"{outcome}\"}}"
        )
    };
    let call = line("llm_requests_total", "gpt-4o", "success");
    let failed = line("attempt_llm_requests_total", "gpt-4o", "error");
    let answered = line("attempt_llm_requests_total", "gpt-4o-mini", "success");
    let expected = format!("It turns quite fast.\n{failed} 2\n{answered} 1\n{call} 1\n");
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_gateway_passes_streams_on_and_counts_them() {
    let (_running, url) = listening(command("llm_gateway").arg("127.0.0.1:0"));
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let body = r#"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true}}"#;
    let call = |path: &str| {
        let request = Request::post(format!("{url}{path}")).body(Body::from(body));
        client.request(request.unwrap())
    };
    let mut answer = call("/v1/chat/completions").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!String::from_utf8_lossy(&first).contains("[DONE]"));
    let rest = answer.collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    // It leads nowhere but to the upstream's own paths.
    let astray = call("/v1/%2e%2e/metrics").await.unwrap();
    assert_eq!(astray.status(), StatusCode::NOT_FOUND);

    let caller = Caller::new(Version::HTTP_11);
    let told = caller.get(&format!("{url}/metrics")).await.unwrap().body;
    holds(&told, "llm_requests_total", "outcome=\"success\"", 1);
    holds(&told, "llm_tokens_total", "direction=\"input\"", 21);
    let served = "http_requests_total{method=\"POST\",route=\"/v1/{*path}\",status=\"200\",outcome=\"ok\"} 1\n";
    assert!(told.contains(served), "{told}");
}

#[track_caller]
fn holds(told: &str, name: &str, label: &str, value: u32) {
    let line = format!("{name}{{{LABELS},{label}}} {value}");
    assert!(told.lines().any(|told| told == line), "{line} in:\n{told}");
}
