//! OpenAI embeddings, which are never streamed and have no output tokens.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::fake_answer::FakeAnswer;
use super::limits::RemainingLimits;
use super::openai::OpenAi;

#[derive(Debug)]
pub(super) struct Embeddings;

impl Dialect for Embeddings {
    fn is_streamed(_: &Value) -> bool {
        false
    }

    fn complete_body(answer: &FakeAnswer) -> Value {
        let vector = [0.25, -0.5, 0.125];
        json!({
            "object": "list",
            "model": answer.model,
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
            "usage": {"prompt_tokens": answer.input, "total_tokens": answer.input},
        })
    }

    fn events(answer: &FakeAnswer) -> Vec<String> {
        vec![Self::complete_body(answer).to_string()]
    }

    fn error_body(status: StatusCode) -> Value {
        OpenAi::error_body(status)
    }

    fn error_event() -> String {
        OpenAi::error_event()
    }

    fn set_limit_headers(limits: &RemainingLimits, headers: &mut HeaderMap) {
        OpenAi::set_limit_headers(limits, headers);
    }
}
