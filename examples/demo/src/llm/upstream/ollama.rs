//! Ollama chat, which is streamed unless the request sets `stream` to false.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fake_answer::FakeAnswer;
use super::limits::RemainingLimits;

#[derive(Debug)]
pub(super) struct Ollama;

impl Dialect for Ollama {
    const STREAM_CONTENT_TYPE: &'static str = "application/x-ndjson";

    fn is_streamed(request: &Value) -> bool {
        request["stream"] != false
    }

    fn complete_body(answer: &FakeAnswer) -> Value {
        last(answer, &answer.text())
    }

    fn events(answer: &FakeAnswer) -> Vec<String> {
        let part = |word| {
            let message = json!({"role": "assistant", "content": word});
            json!({"model": answer.model, "message": message, "done": false})
        };
        let parts = answer.words.iter().map(part);
        let lines = parts.chain([last(answer, "")]);
        lines.map(|line| format!("{line}\n")).collect()
    }

    fn error_body(status: StatusCode) -> Value {
        json!({"error": status.canonical_reason().unwrap_or("overloaded")})
    }

    fn error_event() -> String {
        "{\"error\":\"the runner has stopped\"}\n".into()
    }

    /// Ollama has no rate limits.
    fn set_limit_headers(_: &RemainingLimits, _: &mut HeaderMap) {}
}

fn last(answer: &FakeAnswer, content: &str) -> Value {
    json!({
        "model": answer.model,
        "message": {"role": "assistant", "content": content},
        "done": true,
        "done_reason": answer.finish_reason("stop", "length", "stop"),
        "prompt_eval_count": answer.input,
        "eval_count": answer.output(),
    })
}
