//! OpenAI's chat.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::limits::Left;
use super::said::{ARGUMENTS, Said, TOOL};

#[derive(Debug)]
pub(super) struct OpenAi;

impl Dialect for OpenAi {
    fn whole(said: &Said) -> Value {
        let message = if said.calls_tool {
            let call = json!({"name": TOOL, "arguments": ARGUMENTS.concat()});
            let call = json!({"id": "call_1", "type": "function", "function": call});
            json!({"role": "assistant", "content": null, "tool_calls": [call]})
        } else {
            json!({"role": "assistant", "content": said.text()})
        };
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": said.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish(said)}],
            "usage": usage(said),
        })
    }

    fn events(said: &Said) -> Vec<String> {
        let chunk = |choices: Value, usage: Value| {
            data(&json!({
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "model": said.model,
                "choices": choices,
                "usage": usage,
            }))
        };
        let piece = |delta: Value, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            chunk(json!([choice]), Value::Null)
        };
        let mut events = vec![piece(json!({"role": "assistant", "content": ""}), None)];
        for word in &said.words {
            events.push(piece(json!({"content": word}), None));
        }
        if said.calls_tool {
            let call = json!({"name": TOOL, "arguments": ""});
            let call = json!({"index": 0, "id": "call_1", "type": "function", "function": call});
            events.push(piece(json!({"tool_calls": [call]}), None));
            for part in ARGUMENTS {
                let part = json!({"index": 0, "function": {"arguments": part}});
                events.push(piece(json!({"tool_calls": [part]}), None));
            }
        }
        events.push(piece(json!({}), Some(finish(said))));
        if said.tells_usage {
            events.push(chunk(json!([]), usage(said)));
        }
        events.push("data: [DONE]\n\n".into());
        events
    }

    fn refusal(status: StatusCode) -> Value {
        let (kind, code) = match status.as_u16() {
            429 => ("rate_limit_error", "rate_limit_exceeded"),
            503 | 529 => ("server_error", "server_is_overloaded"),
            _ => ("server_error", "internal_error"),
        };
        json!({"error": {"message": "Try again.", "type": kind, "param": null, "code": code}})
    }

    fn failure() -> String {
        data(&Self::refusal(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn tell_limits(left: &Left, headers: &mut HeaderMap) {
        let [requests, tokens] = left.kinds();
        let (_, limit, remaining) = requests;
        headers.insert("x-ratelimit-limit-requests", limit.into());
        headers.insert("x-ratelimit-remaining-requests", remaining.into());
        let (_, limit, remaining) = tokens;
        headers.insert("x-ratelimit-limit-tokens", limit.into());
        headers.insert("x-ratelimit-remaining-tokens", remaining.into());
        // As Go writes durations.
        let reset = format!("{}ms", left.lasts().as_millis());
        if let Ok(reset) = HeaderValue::try_from(reset) {
            headers.insert("x-ratelimit-reset-requests", reset.clone());
            headers.insert("x-ratelimit-reset-tokens", reset);
        }
    }
}

fn finish(said: &Said) -> &'static str {
    said.finish("stop", "length", "tool_calls")
}

fn usage(said: &Said) -> Value {
    json!({
        "prompt_tokens": said.input,
        "completion_tokens": said.output(),
        "total_tokens": said.input + said.output(),
        "prompt_tokens_details": {"cached_tokens": said.cached},
        "completion_tokens_details": {"reasoning_tokens": said.thoughts},
    })
}

fn data(event: &Value) -> String {
    format!("data: {event}\n\n")
}
