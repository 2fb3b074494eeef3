//! async-openai's client.

use std::sync::atomic::{AtomicU32, Ordering};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::{HttpRequestFactory, retry::OpenAIRetryLayer};
use futures_util::StreamExt;
use serde_json::{Value, from_value, json};
use tachometer::Registry;
use tower::{Layer, service_fn};

use crate::support::read::sum;
use crate::support::responses::{chat, chunks, failure};
use crate::support::upstream::{Answer, End, Upstream, nowhere};
use crate::support::wait::until;
use crate::support::{ERROR, SUCCESS, TRUNCATED, client, in_flight, layer, outcomes, tokens};

fn config(url: &str) -> OpenAIConfig {
    let config = OpenAIConfig::new().with_api_key("key");
    config.with_api_base(format!("{url}/v1"))
}

/// A client whose calls are measured.
fn measured(url: &str) -> (Client<OpenAIConfig>, Registry) {
    let (layer, registry) = layer();
    let service = layer.async_openai(client());
    let measured = Client::with_config(config(url)).with_http_service(service);
    (measured, registry)
}

fn question() -> Value {
    json!({"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]})
}

/// A response of the Responses API.
fn response(status: &str) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": status,
        "model": "gpt-x", "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        "output": [{
            "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": "Words.", "annotations": []}],
        }],
        "usage": {
            "input_tokens": 11, "output_tokens": 6, "total_tokens": 17,
            "input_tokens_details": {"cached_tokens": 8},
            "output_tokens_details": {"reasoning_tokens": 2},
        },
    })
}

#[tokio::test]
async fn a_chat_is_measured() {
    let upstream = Upstream::with(Answer::json(200, chat("gpt-x", 9, 3).to_string())).await;
    let (openai, registry) = measured(&upstream.url);
    let answer = openai
        .chat()
        .create(from_value(question()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.usage.unwrap().prompt_tokens, 9);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [9.0, 3.0]);
    let received = &upstream.received()[0];
    assert_eq!(received.head.headers["authorization"], "Bearer key");
}

/// The client stops reading at `[DONE]`, which ends the response, but not the body.
#[tokio::test]
async fn a_chat_stream_read_to_its_end_is_a_success() {
    for end in [End::Ends, End::Hangs] {
        let answer = Answer::events(chunks("gpt-x", 9, 3)).end(end);
        let upstream = Upstream::with(answer).await;
        let (openai, registry) = measured(&upstream.url);
        let mut question = question();
        question["stream_options"] = json!({"include_usage": true});
        let stream = openai
            .chat()
            .create_stream(from_value(question).unwrap())
            .await;
        let answers: Vec<_> = stream.unwrap().collect().await;
        assert_eq!(answers.len(), 5);
        assert!(answers.iter().all(Result::is_ok));
        // A task of the client owns the body.
        until(|| in_flight(&registry) == 0.0).await;
        assert_eq!(outcomes(&registry), SUCCESS);
        assert_eq!(tokens(&registry), [9.0, 3.0]);
        let first = sum(&registry, "llm_time_to_first_token_seconds", &[]);
        assert_eq!(first, 1.0);
    }
}

#[tokio::test]
async fn a_stream_that_does_not_request_usage_is_counted_as_such() {
    let events = chunks("gpt-x", 9, 3);
    let events = events
        .iter()
        .filter(|event| !event.contains("prompt_tokens"));
    let upstream = Upstream::with(Answer::events(events)).await;
    let (openai, registry) = measured(&upstream.url);
    let stream = openai
        .chat()
        .create_stream(from_value(question()).unwrap())
        .await;
    assert_eq!(stream.unwrap().count().await, 4);
    until(|| in_flight(&registry) == 0.0).await;
    assert_eq!(outcomes(&registry), SUCCESS);
    let missing = [("reason", "not_requested")];
    assert_eq!(sum(&registry, "llm_usage_missing_total", &missing), 1.0);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_truncated() {
    let answer = Answer::events(&chunks("gpt-x", 9, 3)[..3]).end(End::Breaks);
    let upstream = Upstream::with(answer).await;
    let (openai, registry) = measured(&upstream.url);
    let stream = openai
        .chat()
        .create_stream(from_value(question()).unwrap())
        .await;
    let answers: Vec<_> = stream.unwrap().collect().await;
    assert!(answers.last().unwrap().is_err());
    until(|| in_flight(&registry) == 0.0).await;
    assert_eq!(outcomes(&registry), TRUNCATED);
}

#[tokio::test]
async fn responses_are_measured_and_so_are_their_streams() {
    let upstream = Upstream::start(|received| {
        if !received.body.contains("\"stream\":true") {
            return Answer::json(200, response("completed").to_string());
        }
        let delta = json!({
            "type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1",
            "output_index": 0, "content_index": 0, "delta": "Words.", "logprobs": [],
        });
        let event = |kind, number, status| {
            let response = response(status);
            json!({"type": kind, "sequence_number": number, "response": response})
        };
        Answer::events([
            event("response.created", 0, "in_progress"),
            delta,
            event("response.completed", 2, "completed"),
        ])
    })
    .await;
    let (openai, registry) = measured(&upstream.url);
    let question = json!({"model": "gpt-x", "input": "hi"});
    let answer = openai
        .responses()
        .create(from_value(question.clone()).unwrap())
        .await;
    assert_eq!(answer.unwrap().usage.unwrap().input_tokens, 11);
    assert_eq!(outcomes(&registry), SUCCESS);
    let stream = openai
        .responses()
        .create_stream(from_value(question).unwrap())
        .await;
    let events: Vec<_> = stream.unwrap().collect().await;
    assert!(
        events.len() == 3 && events.iter().all(Result::is_ok),
        "{events:?}"
    );
    until(|| in_flight(&registry) == 0.0).await;
    assert_eq!(outcomes(&registry), [0.0, 0.0, 2.0, 0.0]);
    assert_eq!(tokens(&registry), [22.0, 12.0]);
    for (kind, tokens) in [("cache_read", 16.0), ("reasoning", 4.0)] {
        let kind = [("kind", kind)];
        assert_eq!(sum(&registry, "llm_token_details_total", &kind), tokens);
    }
}

#[tokio::test]
async fn embeddings_are_measured() {
    let answer = json!({
        "object": "list", "model": "embed-x", "usage": {"prompt_tokens": 8, "total_tokens": 8},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
    });
    let upstream = Upstream::with(Answer::json(200, answer.to_string())).await;
    let (openai, registry) = measured(&upstream.url);
    let question = json!({"model": "embed-x", "input": "hi"});
    let answer = openai
        .embeddings()
        .create(from_value(question).unwrap())
        .await;
    assert_eq!(answer.unwrap().data[0].embedding, [0.5, -0.25]);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [8.0, 0.0]);
    let operation = [("operation", "embeddings"), ("model", "embed-x")];
    assert_eq!(sum(&registry, "llm_requests_success", &operation), 1.0);
    assert_eq!(sum(&registry, "llm_usage_missing_total", &[]), 0.0);
}

#[tokio::test]
async fn errors_are_those_of_the_client_without_the_layer() {
    let upstream = Upstream::with(failure(401, "invalid_request_error", "invalid_api_key")).await;
    let dead = nowhere().await;
    for (url, kind) in [(&upstream.url, "auth"), (&dead, "connect")] {
        let (openai, registry) = measured(url);
        // The executor of the client retries.
        let plain = service_fn(|request: HttpRequestFactory| async move {
            let request = request.build().await?;
            let sent = client().execute(request).await;
            sent.map_err(OpenAIError::Reqwest)
        });
        let plain = Client::with_config(config(url)).with_http_service(plain);
        let expected = plain
            .chat()
            .create(from_value(question()).unwrap())
            .await
            .unwrap_err();
        let error = openai
            .chat()
            .create(from_value(question()).unwrap())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        match kind {
            "auth" => assert!(matches!(error, OpenAIError::ApiError(_)), "{error:?}"),
            _ => assert!(matches!(error, OpenAIError::Reqwest(_)), "{error:?}"),
        }
        assert_eq!(outcomes(&registry), ERROR);
        let kind = [("error_type", kind)];
        assert_eq!(sum(&registry, "llm_requests_error", &kind), 1.0);
    }
}

/// The server allows an immediate retry.
#[tokio::test]
async fn a_layer_below_the_retries_measures_each_attempt() {
    let attempts = AtomicU32::new(0);
    let upstream = Upstream::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => failure(429, "requests", "rate_limit_exceeded").header("retry-after", "0"),
        _ => Answer::json(200, chat("gpt-x", 9, 3).to_string()),
    })
    .await;
    let (layer, registry) = layer();
    let service = layer.async_openai(client());
    let service = OpenAIRetryLayer::default().layer(service);
    let client = Client::with_config(config(&upstream.url)).with_http_service(service);
    client
        .chat()
        .create(from_value(question()).unwrap())
        .await
        .unwrap();
    assert_eq!(upstream.received().len(), 3);
    assert_eq!(outcomes(&registry), [0.0, 2.0, 1.0, 0.0]);
    let limited = [("error_type", "rate_limited")];
    assert_eq!(sum(&registry, "llm_requests_error", &limited), 2.0);
    assert_eq!(tokens(&registry), [9.0, 3.0]);
}
