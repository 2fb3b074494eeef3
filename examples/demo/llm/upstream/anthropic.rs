//! Anthropic's messages.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::limits::Left;
use super::said::{ARGUMENTS, Said, TOOL};

#[derive(Debug)]
pub(super) struct Anthropic;

impl Dialect for Anthropic {
    fn whole(said: &Said) -> Value {
        let content = if said.calls_tool {
            json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": {}})
        } else {
            json!({"type": "text", "text": said.text()})
        };
        message(said, &json!([content]), Some(finish(said)), said.output())
    }

    fn events(said: &Said) -> Vec<String> {
        let (block, parts) = if said.calls_tool {
            (
                json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": {}}),
                ARGUMENTS.map(arguments).to_vec(),
            )
        } else {
            (
                json!({"type": "text", "text": ""}),
                said.words.iter().copied().map(text).collect(),
            )
        };
        // The output's tokens only hold the place there.
        let begun = message(said, &json!([]), None, 1);
        let block = json!({"index": 0, "content_block": block});
        let ended = json!({
            "delta": {"stop_reason": finish(said), "stop_sequence": null},
            "usage": {"output_tokens": said.output()},
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

    fn refusal(status: StatusCode) -> Value {
        let kind = match status.as_u16() {
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": "Try again."}})
    }

    fn failure() -> String {
        let error = json!({"type": "overloaded_error", "message": "Overloaded"});
        event("error", json!({"error": error}))
    }

    fn tell_limits(left: &Left, headers: &mut HeaderMap) {
        let reset = humantime::format_rfc3339_seconds(SystemTime::now() + left.lasts());
        let reset = reset.to_string();
        for (kind, limit, remaining) in left.kinds() {
            let told = [
                ("limit", limit.to_string()),
                ("remaining", remaining.to_string()),
                ("reset", reset.clone()),
            ];
            for (what, value) in told {
                let name = HeaderName::try_from(format!("anthropic-ratelimit-{kind}-{what}"));
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

/// Its input is told without what was cached.
fn message(said: &Said, content: &Value, finish: Option<&str>, output: u64) -> Value {
    json!({
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": finish,
        "stop_sequence": null,
        "usage": {
            "input_tokens": said.input - said.cached,
            "cache_read_input_tokens": said.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        },
    })
}

fn finish(said: &Said) -> &'static str {
    said.finish("end_turn", "max_tokens", "tool_use")
}

fn event(kind: &str, mut data: Value) -> String {
    data["type"] = kind.into();
    format!("event: {kind}\ndata: {data}\n\n")
}
