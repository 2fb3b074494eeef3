//! OpenAI chat completions.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fake_answer::{ARGUMENTS, FakeAnswer, TOOL};
use super::limits::RemainingLimits;

#[derive(Debug)]
pub(super) struct OpenAi;

impl Dialect for OpenAi {
    fn complete_body(answer: &FakeAnswer) -> Value {
        let message = if answer.calls_tool {
            let call = json!({"name": TOOL, "arguments": ARGUMENTS.concat()});
            let call = json!({"id": "call_1", "type": "function", "function": call});
            json!({"role": "assistant", "content": null, "tool_calls": [call]})
        } else {
            json!({"role": "assistant", "content": answer.text()})
        };
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": answer.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(answer)}],
            "usage": usage(answer),
        })
    }

    fn events(answer: &FakeAnswer) -> Vec<String> {
        let chunk = |choices: Value, usage: Value| {
            data(&json!({
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "model": answer.model,
                "choices": choices,
                "usage": usage,
            }))
        };
        let piece = |delta: Value, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            chunk(json!([choice]), Value::Null)
        };
        let mut events = vec![piece(json!({"role": "assistant", "content": ""}), None)];
        for word in &answer.words {
            events.push(piece(json!({"content": word}), None));
        }
        if answer.calls_tool {
            let call = json!({"name": TOOL, "arguments": ""});
            let call = json!({"index": 0, "id": "call_1", "type": "function", "function": call});
            events.push(piece(json!({"tool_calls": [call]}), None));
            for part in ARGUMENTS {
                let part = json!({"index": 0, "function": {"arguments": part}});
                events.push(piece(json!({"tool_calls": [part]}), None));
            }
        }
        events.push(piece(json!({}), Some(finish_reason(answer))));
        if answer.includes_usage {
            events.push(chunk(json!([]), usage(answer)));
        }
        events.push("data: [DONE]\n\n".into());
        events
    }

    fn error_body(status: StatusCode) -> Value {
        let (kind, code) = match status.as_u16() {
            429 => ("rate_limit_error", "rate_limit_exceeded"),
            503 | 529 => ("server_error", "server_is_overloaded"),
            _ => ("server_error", "internal_error"),
        };
        json!({"error": {"message": "Try again.", "type": kind, "param": null, "code": code}})
    }

    fn error_event() -> String {
        data(&Self::error_body(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn set_limit_headers(limits: &RemainingLimits, headers: &mut HeaderMap) {
        let [requests, tokens] = limits.kinds();
        let (_, limit, remaining) = requests;
        headers.insert("x-ratelimit-limit-requests", limit.into());
        headers.insert("x-ratelimit-remaining-requests", remaining.into());
        let (_, limit, remaining) = tokens;
        headers.insert("x-ratelimit-limit-tokens", limit.into());
        headers.insert("x-ratelimit-remaining-tokens", remaining.into());
        // In the format of Go's durations.
        let reset = format!("{}ms", limits.time_until_reset().as_millis());
        if let Ok(reset) = HeaderValue::try_from(reset) {
            headers.insert("x-ratelimit-reset-requests", reset.clone());
            headers.insert("x-ratelimit-reset-tokens", reset);
        }
    }
}

fn finish_reason(answer: &FakeAnswer) -> &'static str {
    answer.finish_reason("stop", "length", "tool_calls")
}

fn usage(answer: &FakeAnswer) -> Value {
    json!({
        "prompt_tokens": answer.input,
        "completion_tokens": answer.output(),
        "total_tokens": answer.input + answer.output(),
        "prompt_tokens_details": {"cached_tokens": answer.cached},
        "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
    })
}

fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}
