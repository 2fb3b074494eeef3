//! Anthropic messages.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fake_answer::{ARGUMENTS, FakeAnswer, TOOL};
use super::limits::RemainingLimits;

#[derive(Debug)]
pub(super) struct Anthropic;

impl Dialect for Anthropic {
    fn complete_body(answer: &FakeAnswer) -> Value {
        let content = if answer.calls_tool {
            json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": {}})
        } else {
            json!({"type": "text", "text": answer.text()})
        };
        message(
            answer,
            &json!([content]),
            Some(finish_reason(answer)),
            answer.output(),
        )
    }

    fn events(answer: &FakeAnswer) -> Vec<String> {
        let (block, parts) = if answer.calls_tool {
            (
                json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": {}}),
                ARGUMENTS.map(arguments).to_vec(),
            )
        } else {
            (
                json!({"type": "text", "text": ""}),
                answer.words.iter().copied().map(text).collect(),
            )
        };
        // The output tokens at the start of a stream are a placeholder.
        let begun = message(answer, &json!([]), None, 1);
        let block = json!({"index": 0, "content_block": block});
        let ended = json!({
            "delta": {"stop_reason": finish_reason(answer), "stop_sequence": null},
            "usage": {"output_tokens": answer.output()},
        });
        let mut events = vec![
            event("message_start", json!({"message": begun})),
            event("content_block_start", block),
            event("ping", json!({})),
        ];
        for delta in parts {
            let part = json!({"index": 0, "delta": delta});
            events.push(event("content_block_delta", part));
        }
        events.push(event("content_block_stop", json!({"index": 0})));
        events.push(event("message_delta", ended));
        events.push(event("message_stop", json!({})));
        events
    }

    fn error_body(status: StatusCode) -> Value {
        let kind = match status.as_u16() {
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": "Try again."}})
    }

    fn error_event() -> String {
        let error = json!({"type": "overloaded_error", "message": "Overloaded"});
        event("error", json!({"error": error}))
    }

    fn set_limit_headers(limits: &RemainingLimits, headers: &mut HeaderMap) {
        let reset =
            humantime::format_rfc3339_seconds(SystemTime::now() + limits.time_until_reset());
        let reset = reset.to_string();
        for (kind, limit, remaining) in limits.kinds() {
            let limit_headers = [
                ("limit", limit.to_string()),
                ("remaining", remaining.to_string()),
                ("reset", reset.clone()),
            ];
            for (suffix, value) in limit_headers {
                let name = HeaderName::try_from(format!("anthropic-ratelimit-{kind}-{suffix}"));
                if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                    headers.insert(name, value);
                }
            }
        }
    }
}

fn text(word: &str) -> Value {
    json!({"type": "text_delta", "text": word})
}

fn arguments(part: &str) -> Value {
    json!({"type": "input_json_delta", "partial_json": part})
}

/// Anthropic reports input tokens without the cached ones.
fn message(answer: &FakeAnswer, content: &Value, finish: Option<&str>, output: u64) -> Value {
    json!({
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": finish,
        "stop_sequence": null,
        "usage": {
            "input_tokens": answer.input - answer.cached,
            "cache_read_input_tokens": answer.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        },
    })
}

fn finish_reason(answer: &FakeAnswer) -> &'static str {
    answer.finish_reason("end_turn", "max_tokens", "tool_use")
}

fn event(kind: &str, mut data: Value) -> String {
    data["type"] = kind.into();
    format!("event: {kind}\ndata: {data}\n\n")
}
