//! llama.cpp's server, with a tiny model of random weights.

use std::process::Command;

use serde_json::{Value, json};

use crate::servers::{count, post};
use crate::support::read::sum;
use crate::support::server_program::{Program, variables};
use crate::support::wait::until;
use crate::support::{CANCELLED, SUCCESS, client, in_flight, layer, outcomes, tokens};

async fn start() -> Option<Program> {
    let names = ["TACHOMETER_LLAMA_SERVER", "TACHOMETER_LLAMA_MODEL"];
    let [server, model] = variables(names)?;
    let mut command = Command::new(server);
    command.args(["-m", &model, "--host", "127.0.0.1", "--port", "0"]);
    command.args([
        "-t",
        "1",
        "-c",
        "1024",
        "-np",
        "2",
        "--metrics",
        "--alias",
        "tiny",
    ]);
    command.args(["--embeddings", "--pooling", "mean", "--no-ui", "--offline"]);
    Some(Program::start(&mut command).await)
}

/// Returns input tokens, cached ones included, and output tokens, as the server counts them.
async fn counted(server: &Program) -> [f64; 2] {
    let [prompt, cached, predicted] = server
        .metrics([
            "llamacpp:prompt_tokens_total",
            "llamacpp:prompt_tokens_cached_total",
            "llamacpp:tokens_predicted_total",
        ])
        .await;
    [prompt + cached, predicted]
}

/// Each kind of call, whole and streamed.
fn calls() -> Vec<(&'static str, Value, &'static str)> {
    let chat = json!([{"role": "user", "content": "Tell me of the sea."}]);
    let with = |mut body: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let mut calls = Vec::new();
    for (path, body, operation) in [
        (
            "/v1/chat/completions",
            json!({"model": "tiny", "messages": chat, "max_tokens": 12}),
            "chat",
        ),
        (
            "/v1/completions",
            json!({"model": "tiny", "prompt": "Once upon a time", "max_tokens": 9}),
            "text_completion",
        ),
        (
            "/v1/responses",
            json!({"model": "tiny", "input": "Tell me of the sky.", "max_output_tokens": 7}),
            "chat",
        ),
        (
            "/v1/messages",
            json!({"model": "tiny", "messages": chat, "max_tokens": 11}),
            "chat",
        ),
    ] {
        let stream = match path {
            "/v1/responses" | "/v1/messages" => json!({"stream": true}),
            _ => streamed.clone(),
        };
        calls.push((path, body.clone(), operation));
        calls.push((path, with(body, stream), operation));
    }
    let input = json!({"model": "tiny", "input": ["one text", "another one"]});
    calls.push(("/v1/embeddings", input, "embeddings"));
    calls
}

#[tokio::test]
async fn tokens_match_the_counters_of_the_server_in_each_dialect() {
    let Some(server) = start().await else {
        return;
    };
    // The second time the prompts are cached.
    for (path, body, operation) in calls().into_iter().chain(calls()) {
        let (layer, registry) = layer();
        let llm = layer.layer(client());
        let before = counted(&server).await;
        let (status, text) = post(&llm, &format!("{}{path}", server.url), &body).await;
        assert_eq!(status, 200, "{text}");
        let measured = tokens(&registry);
        // The server counts a call after it has answered.
        let mut after = counted(&server).await;
        for _ in 0..200 {
            if after[0] - before[0] == measured[0] && after[1] - before[1] == measured[1] {
                break;
            }
            after = counted(&server).await;
        }
        let expected = [after[0] - before[0], after[1] - before[1]];
        assert_eq!(measured, expected, "{path} {body} {text}");
        assert!(measured[0] > 0.0, "{path} {text}");
        assert_eq!(
            measured[1] > 0.0,
            operation != "embeddings",
            "{path} {text}"
        );
        assert_eq!(outcomes(&registry), SUCCESS, "{path} {text}");
        assert_eq!(in_flight(&registry), 0.0);
        assert_eq!(
            sum(&registry, "llm_usage_missing_total", &[]),
            0.0,
            "{path} {text}"
        );
        let labels = [("model", "tiny"), ("operation", operation)];
        assert_eq!(sum(&registry, "llm_requests_total", &labels), 1.0);
        let streams = body["stream"] == true;
        let first = sum(&registry, "llm_time_to_first_token_seconds", &[]);
        assert_eq!(first > 0.0, streams, "{path} {text}");
        if operation != "embeddings" {
            assert_eq!(
                sum(&registry, "llm_finish_reasons_total", &[]),
                1.0,
                "{path} {text}"
            );
        }
    }
}

#[tokio::test]
async fn refused_calls_are_classified_errors() {
    let Some(server) = start().await else {
        return;
    };
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let url = format!("{}/v1/chat/completions", server.url);
    let long = "word ".repeat(2_000);
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": long}]});
    assert_eq!(post(&llm, &url, &body).await.0, 400);
    assert_eq!(post(&llm, &url, &json!({"model": "tiny"})).await.0, 400);
    let kind = |kind| count(&registry, "llm_requests_error", "error_type", kind);
    assert_eq!(kind("context_length"), 1.0);
    assert_eq!(kind("invalid_request"), 1.0);
}

#[tokio::test]
async fn leaving_a_stream_cancels_the_call() {
    let Some(mut server) = start().await else {
        return;
    };
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let messages = json!([{"role": "user", "content": "Tell me of the sea."}]);
    let body = json!({"model": "tiny", "messages": messages, "stream": true,
        "logit_bias": [[2, false]], "max_tokens": 400});
    let request = llm
        .get_ref()
        .post(format!("{}/v1/chat/completions", server.url));
    let request = request.json(&body).build().unwrap();
    let mut response = llm.execute(request).await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    assert_eq!(in_flight(&registry), 1.0);
    drop(response);
    until(|| in_flight(&registry) == 0.0).await;
    assert_eq!(outcomes(&registry), CANCELLED);
    assert_eq!(
        count(&registry, "llm_usage_missing_total", "reason", "cancelled"),
        1.0
    );
    assert!(server.is_running());
}
