//! OpenAI responses.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fake_answer::FakeAnswer;
use super::limits::RemainingLimits;
use super::openai::OpenAi;

#[derive(Debug)]
pub(super) struct Responses;

impl Dialect for Responses {
    fn complete_body(answer: &FakeAnswer) -> Value {
        let text = json!({"type": "output_text", "text": answer.text(), "annotations": []});
        let message = json!({"type": "message", "role": "assistant", "content": [text]});
        response(answer, &json!([message]), "completed", &usage(answer))
    }

    fn events(answer: &FakeAnswer) -> Vec<String> {
        let begun = response(answer, &json!([]), "in_progress", &Value::Null);
        let mut events = vec![event("response.created", json!({"response": begun}))];
        for word in &answer.words {
            let part = json!({"output_index": 0, "content_index": 0, "delta": word});
            events.push(event("response.output_text.delta", part));
        }
        let ended = json!({"response": Self::complete_body(answer)});
        events.push(event("response.completed", ended));
        events
    }

    fn error_body(status: StatusCode) -> Value {
        OpenAi::error_body(status)
    }

    fn error_event() -> String {
        event(
            "error",
            json!({"code": "server_error", "message": "Try again."}),
        )
    }

    fn set_limit_headers(limits: &RemainingLimits, headers: &mut HeaderMap) {
        OpenAi::set_limit_headers(limits, headers);
    }
}

fn response(answer: &FakeAnswer, output: &Value, status: &str, usage: &Value) -> Value {
    json!({
        "id": "resp_1",
        "object": "response",
        "model": answer.model,
        "status": status,
        "output": output,
        "usage": usage,
    })
}

fn usage(answer: &FakeAnswer) -> Value {
    json!({
        "input_tokens": answer.input,
        "input_tokens_details": {"cached_tokens": answer.cached},
        "output_tokens": answer.output(),
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.input + answer.output(),
    })
}

fn event(kind: &str, mut data: Value) -> String {
    data["type"] = kind.into();
    format!("event: {kind}\ndata: {data}\n\n")
}
