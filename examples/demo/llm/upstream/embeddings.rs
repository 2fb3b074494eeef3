//! OpenAI's embeddings, which are never streamed and have no output tokens.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::dialect::Dialect;
use super::limits::Left;
use super::openai::OpenAi;
use super::said::Said;

#[derive(Debug)]
pub(super) struct Embeddings;

impl Dialect for Embeddings {
    fn is_streamed(_: &Value) -> bool {
        false
    }

    fn whole(said: &Said) -> Value {
        let vector = [0.25, -0.5, 0.125];
        json!({
            "object": "list",
            "model": said.model,
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
            "usage": {"prompt_tokens": said.input, "total_tokens": said.input},
        })
    }

    fn events(said: &Said) -> Vec<String> {
        vec![Self::whole(said).to_string()]
    }

    fn refusal(status: StatusCode) -> Value {
        OpenAi::refusal(status)
    }

    fn failure() -> String {
        OpenAi::failure()
    }

    fn tell_limits(left: &Left, headers: &mut HeaderMap) {
        OpenAi::tell_limits(left, headers);
    }
}
