//! No key, prompt, response, user name or request id of a call is exported: by no format, no
//! `Debug` output and no log event.

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use serde_json::{Value, json};
use tachometer::export::Format;
use tachometer::llm::{ErrorType, Outcome, RequestModel, Usage};
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

use crate::support::read::{series, sum};
use crate::support::responses::CHAT;
use crate::support::warnings::warnings;
use crate::support::{client, layer};

/// Part of every secret, followed by a distinct word.
const CANARY: &str = "CANARY";

/// Returns the secrets in `text`, including numbers.
#[track_caller]
fn assert_silent(what: &str, text: &[u8]) {
    let at = text
        .windows(CANARY.len())
        .position(|part| part == CANARY.as_bytes());
    if let Some(at) = at {
        let end = text.len().min(at + 60);
        panic!(
            "{what} tells {:?}",
            String::from_utf8_lossy(&text[at.saturating_sub(60)..end])
        );
    }
    // Bytes of a text, as `Debug` writes them.
    let numbers: Vec<_> = CANARY.bytes().map(|byte| byte.to_string()).collect();
    let (text, numbers) = (String::from_utf8_lossy(text), numbers.join(", "));
    assert!(!text.contains(&numbers), "{what} tells the bytes");
}

fn assert_silent_debug(value: &impl Debug) {
    for text in [
        format!("{value:?}"),
        format!("{value:#?}").replace([' ', '\n'], ""),
    ] {
        assert_silent(
            "Debug",
            text.replace(',', ", ").replace(",  ", ", ").as_bytes(),
        );
    }
}

fn assert_silent_registry(registry: &Registry) {
    for format in [
        Format::Text,
        Format::TextV1,
        Format::OpenMetrics,
        Format::Protobuf,
        Format::Json,
    ] {
        let output = registry.export(format).created_timestamps(true).to_bytes();
        assert!(!output.is_empty());
        assert_silent(format.as_str(), &output);
    }
    let summary = registry.summary();
    assert_silent("the summary", summary.to_json().as_bytes());
    assert_silent_debug(&summary);
    assert_silent_debug(registry);
}

/// Two kinds of model, so that one is seen where it ought to be.
fn request(path: &str) -> Request<String> {
    let body = json!({
        "model": "gpt-x",
        "user": "CANARY-user", "safety_identifier": "CANARY-safety", "stream": true,
        "stream_options": {"include_usage": true, "CANARY-option": "CANARY-value"},
        "metadata": {"user_id": "CANARY-metadata", "model": "CANARY-not-the-model"},
        "system": "CANARY-system", "input": "CANARY-input", "prompt": "CANARY-prompt",
        "messages": [
            {"role": "system", "content": "CANARY-system"},
            {"role": "user", "content": "CANARY-prompt \"model\":\"CANARY-quoted\""},
            {"role": "assistant", "tool_calls": [{"id": "CANARY-call", "function":
                {"name": "CANARY-function", "arguments": "{\"city\":\"CANARY-argument\"}"}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "CANARY-tool"}}],
    });
    let url = format!("https://CANARY-user:CANARY-password@localhost{path}?key=CANARY-query");
    let mut request = Request::post(url).body(body.to_string()).unwrap();
    for name in [
        "authorization",
        "x-api-key",
        "api-key",
        "openai-organization",
        "openai-project",
        "x-request-id",
        "cookie",
        "user-agent",
        "traceparent",
        "x-ratelimit-remaining-requests",
    ] {
        let value = format!("CANARY-{name}").parse().unwrap();
        request.headers_mut().insert(name, value);
    }
    request.extensions_mut().insert(RequestModel::new("gpt-x"));
    request
}

/// A response of each dialect, whole or as an event, with a secret in every text.
fn answers(path: &str) -> Vec<Value> {
    let error = json!({"error": {
        "message": "CANARY-message", "type": "CANARY-type", "code": "CANARY-code",
        "param": "CANARY-param", "metadata": {"raw": "CANARY-raw"},
    }, "request_id": "CANARY-request"});
    let whole = match path {
        "/v1/messages" => json!({
            "type": "message", "id": "CANARY-id", "model": "gpt-x", "stop_reason": "CANARY-reason",
            "content": [{"type": "text", "text": "CANARY-answer"}, {"type": "tool_use",
                "id": "CANARY-call", "name": "CANARY-tool", "input": {"usage": "CANARY-usage"}}],
            "usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": "CANARY-tier"},
        }),
        "/v1/responses" => json!({
            "id": "CANARY-id", "object": "response", "status": "completed", "model": "gpt-x",
            "instructions": "CANARY-system", "user": "CANARY-user",
            "output": [{"type": "message", "content": [{"text": "CANARY-answer"}]}, {"type":
                "function_call", "name": "CANARY-tool", "arguments": "CANARY-argument"}],
            "usage": {"input_tokens": 3, "output_tokens": 2},
        }),
        "/api/chat" => json!({
            "model": "gpt-x", "message": {"role": "assistant", "content": "CANARY-answer"},
            "done_reason": "CANARY-reason", "done": true, "eval_count": 2,
        }),
        GEMINI | VERTEX => json!({
            "responseId": "CANARY-id", "modelVersion": "gpt-x",
            "candidates": [{"finishReason": "CANARY-reason", "content": {"parts": [
                {"text": "CANARY-answer", "thoughtSignature": "CANARY-signature"},
                {"functionCall": {"name": "CANARY-tool", "args": {"city": "CANARY-city"}}}]}}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2,
                "promptTokensDetails": [{"modality": "CANARY-modality", "tokenCount": 3}]},
        }),
        "/v2/chat" => json!({
            "id": "CANARY-id", "finish_reason": "CANARY-reason", "message": {
                "content": [{"type": "text", "text": "CANARY-answer"}], "tool_plan": "CANARY-plan",
                "tool_calls": [{"function": {"name": "CANARY-tool"}}]},
            "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 2}},
        }),
        CONVERSE | INVOKE => json!({
            "output": {"message": {"content": [{"text": "CANARY-answer"}, {"toolUse":
                {"name": "CANARY-tool", "input": {"city": "CANARY-city"}}}]}},
            "stopReason": "CANARY-reason", "usage": {"inputTokens": 3, "outputTokens": 2},
            "completion": "CANARY-completion", "stop": "CANARY-stop",
        }),
        "/v1/audio/transcriptions" => json!({
            "text": "CANARY-answer", "language": "CANARY-language", "duration": 3.5,
            "usage": {"type": "CANARY-type", "seconds": 4},
        }),
        _ => json!({
            "id": "CANARY-id", "model": "gpt-x", "system_fingerprint": "CANARY-print",
            "choices": [{"index": 0, "finish_reason": "CANARY-reason", "message": {
                "content": "CANARY-answer", "reasoning_content": "CANARY-thought",
                "tool_calls": [{"id": "CANARY-call", "function": {"name": "CANARY-tool",
                    "arguments": "{\"city\":\"CANARY-argument\"}"}}]}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        }),
    };
    vec![whole, error]
}

const GEMINI: &str = "/v1beta/models/gpt-x:generateContent";
const VERTEX: &str =
    "/v1/projects/CANARY-project/locations/l/publishers/google/models/gpt-x:streamGenerateContent";
const CONVERSE: &str = "/model/gpt-x/converse";
const INVOKE: &str = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3ACANARY-account%3Ainference-profile%2Fgpt-x/invoke-with-response-stream";

const PATHS: [&str; 11] = [
    CHAT,
    "/v1/completions",
    "/v1/messages",
    "/v1/responses",
    "/api/chat",
    GEMINI,
    VERTEX,
    "/v2/chat",
    CONVERSE,
    INVOKE,
    "/v1/audio/transcriptions",
];

/// Reads a response chunk by chunk, and checks every output after each.
fn watch(layer: &LlmLayer, registry: &Registry, path: &str, answer: &str, status: u16, len: usize) {
    let mut pieces = answer.as_bytes().chunks(len).map(Bytes::copy_from_slice);
    let body = futures_util::stream::iter(std::iter::from_fn(move || {
        Some(Ok::<_, &str>(http_body::Frame::data(pieces.next()?)))
    }));
    let mut response = Response::builder().status(status);
    for name in [
        "x-request-id",
        "openai-organization",
        "set-cookie",
        "retry-after",
        "x-amzn-errortype",
        "x-amzn-bedrock-input-token-count",
        "x-litellm-response-cost",
        "openai-processing-ms",
    ] {
        response = response.header(name, format!("CANARY-{name}"));
    }
    for name in ["x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens"] {
        response = response.header(name, format!("CANARY-{name}"));
    }
    let body = http_body_util::StreamBody::new(body);
    let mut response = Some(response.body(body).unwrap());
    let mut service = layer.layer(service_fn(|_: Request<String>| {
        std::future::ready(response.take().ok_or("called twice"))
    }));
    let mut future = pin!(service.call(request(path)));
    assert_silent_debug(&future);
    assert_silent_registry(registry);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
        assert!(frame.is_ok());
        assert_silent_debug(&body);
    }
    assert_silent_registry(registry);
}

#[test]
fn no_content_of_a_call_is_exported_during_or_after_it() {
    let (layer, registry) = layer();
    let output = warnings(|| {}, {
        let (layer, registry) = (layer.clone(), registry.clone());
        move || {
            for path in PATHS {
                for (answer, status) in answers(path).iter().zip([200, 400]) {
                    let events = "event: CANARY-event\nid: CANARY-id\n: CANARY-comment\n";
                    let events = format!("{events}data: {answer}\n\ndata: [DONE]\n\n");
                    for text in [answer.to_string(), events, "CANARY, no JSON".to_owned()] {
                        for len in [1_000, 23] {
                            watch(&layer, &registry, path, &text, status, len);
                        }
                    }
                }
            }
        }
    });
    assert_silent("an event", output.join("\n").as_bytes());
    // Public values are exported, so secrets would be seen as well.
    let model = [("model", "gpt-x")];
    assert_eq!(sum(&registry, "llm_requests_total", &model), 132.0);
    assert!(
        sum(
            &registry,
            "llm_finish_reasons_total",
            &[("reason", "other")]
        ) > 0.0
    );
    assert!(
        sum(
            &registry,
            "llm_requests_error",
            &[("error_type", "invalid_request")]
        ) > 0.0
    );
}

#[test]
fn a_model_is_exported_as_a_label() {
    let (layer, registry) = layer();
    let mut call = layer.start_call("openai", "CANARY-model", "chat");
    call.first_token();
    drop(call);
    let text = registry.export_prometheus();
    assert!(text.contains(r#"model="CANARY-model""#), "{text}");
}

/// The `Debug` output of client bodies and futures may show content; that of the layer's
/// wrappers does not.
#[tokio::test]
async fn debug_output_of_the_llm_layer_shows_no_content_of_a_call() {
    let (layer, registry) = layer();
    let llm = layer.clone().try_register().unwrap();
    let mut call = llm.start_call("openai", "gpt-x", "chat");
    call.first_token();
    call.set_usage(Usage::new().input(3));
    assert_silent_debug(&call);
    let hostile = llm.start_call("openai", "sk-CANARY", "chat");
    assert_silent_debug(&hostile);
    drop(hostile);
    call.finish(Outcome::Error(ErrorType::Auth));
    // Its URL has a key in it, as Google's do.
    let plain = client();
    let llm = layer.layer(plain.clone());
    let request = plain.post(format!("http://localhost{CHAT}?key=CANARY-query"));
    let request = request.bearer_auth("CANARY-key").body("CANARY-prompt");
    let mut service = llm.clone();
    let future = service.call(request.build().unwrap());
    assert!(series(&registry) > 0);
    assert_silent_debug(&future);
    drop(future);
    let held = layer.layer(Full::new(Bytes::from("CANARY-client")));
    assert_silent_debug(&held);
    let mut answering = layer.layer(service_fn(|_: Request<String>| {
        let body = Full::new(Bytes::from("CANARY-answer"));
        std::future::ready(Ok::<_, &str>(Response::new(body)))
    }));
    let future = answering.call(self::request(CHAT));
    assert_silent_debug(&future);
    let response = future.await.unwrap();
    assert_silent_debug(response.body());
    assert_silent_debug(&layer);
    assert_silent_debug(&llm);
    assert_silent_debug(&llm);
    assert_silent_debug(&(RequestModel::new("gpt-x"), Usage::new(), Outcome::Cancelled));
}

#[test]
fn a_name_conflict_error_holds_only_the_names() {
    let registry = Registry::new();
    registry.gauge("llm_requests_total", "Taken.").unwrap();
    let error = LlmLayer::new()
        .registry(&registry)
        .try_register()
        .unwrap_err();
    assert_silent_debug(&error);
    // Only one warning is logged for calls that cannot be recorded. No other test causes it,
    // since it is logged once per process.
    let recorded = registry.clone();
    let run = move || {
        for _ in 0..3 {
            recorded.record_llm_request(Duration::from_secs(1), true, 5, "CANARY-model");
        }
    };
    let events = warnings(|| {}, run);
    assert_eq!(events.len(), 1);
    assert!(events[0].contains("llm_requests_total"), "{events:?}");
    assert_silent("an event", events[0].as_bytes());
    assert_eq!(registry.get("llm_requests_total").unwrap().value(), 0.0);
}
