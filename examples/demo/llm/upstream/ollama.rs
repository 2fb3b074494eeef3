//! Ollama's chat, which is streamed unless the request says otherwise.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::limits::Left;
use super::said::Said;

#[derive(Debug)]
pub(super) struct Ollama;

impl Dialect for Ollama {
    const STREAM: &'static str = "application/x-ndjson";

    fn is_streamed(asked: &Value) -> bool {
        asked["stream"] != false
    }

    fn whole(said: &Said) -> Value {
        last(said, &said.text())
    }

    fn events(said: &Said) -> Vec<String> {
        let part = |word| {
            let message = json!({"role": "assistant", "content": word});
            json!({"model": said.model, "message": message, "done": false})
        };
        let parts = said.words.iter().map(part);
        let lines = parts.chain([last(said, "")]);
        lines.map(|line| format!("{line}\n")).collect()
    }

    fn refusal(status: StatusCode) -> Value {
        json!({"error": status.canonical_reason().unwrap_or("overloaded")})
    }

    fn failure() -> String {
        "{\"error\":\"the runner has stopped\"}\n".into()
    }

    /// It has none.
    fn tell_limits(_: &Left, _: &mut HeaderMap) {}
}

fn last(said: &Said, content: &str) -> Value {
    json!({
        "model": said.model,
        "message": {"role": "assistant", "content": content},
        "done": true,
        "done_reason": said.finish("stop", "length", "stop"),
        "prompt_eval_count": said.input,
        "eval_count": said.output(),
    })
}
