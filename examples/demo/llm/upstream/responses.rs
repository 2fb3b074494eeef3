//! OpenAI's responses.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::limits::Left;
use super::openai::OpenAi;
use super::said::Said;

#[derive(Debug)]
pub(super) struct Responses;

impl Dialect for Responses {
    fn whole(said: &Said) -> Value {
        let text = json!({"type": "output_text", "text": said.text(), "annotations": []});
        let message = json!({"type": "message", "role": "assistant", "content": [text]});
        response(said, &json!([message]), "completed", &usage(said))
    }

    fn events(said: &Said) -> Vec<String> {
        let begun = response(said, &json!([]), "in_progress", &Value::Null);
        let mut events = vec![event("response.created", json!({"response": begun}))];
        for word in &said.words {
            let part = json!({"output_index": 0, "content_index": 0, "delta": word});
            events.push(event("response.output_text.delta", part));
        }
        let ended = json!({"response": Self::whole(said)});
        events.push(event("response.completed", ended));
        events
    }

    fn refusal(status: StatusCode) -> Value {
        OpenAi::refusal(status)
    }

    fn failure() -> String {
        event(
            "error",
            json!({"code": "server_error", "message": "Try again."}),
        )
    }

    fn tell_limits(left: &Left, headers: &mut HeaderMap) {
        OpenAi::tell_limits(left, headers);
    }
}

fn response(said: &Said, output: &Value, status: &str, usage: &Value) -> Value {
    json!({
        "id": "resp_1",
        "object": "response",
        "model": said.model,
        "status": status,
        "output": output,
        "usage": usage,
    })
}

fn usage(said: &Said) -> Value {
    json!({
        "input_tokens": said.input,
        "input_tokens_details": {"cached_tokens": said.cached},
        "output_tokens": said.output(),
        "output_tokens_details": {"reasoning_tokens": said.thoughts},
        "total_tokens": said.input + said.output(),
    })
}

fn event(kind: &str, mut data: Value) -> String {
    data["type"] = kind.into();
    format!("event: {kind}\ndata: {data}\n\n")
}
