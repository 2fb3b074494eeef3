//! The Predict API of Vertex AI: embeddings and images.

use crate::llm::response::answer::{Answer, TokenKind};
use crate::llm::response::dialect::path::operation_for_model;
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, elements, field, nested};

pub(crate) const PREDICT: Dialect = Dialect {
    paths: &[PathPattern::new(":predict", "embeddings")
        .llm_only()
        .model_after("/publishers/google/models/")
        .operation_from_model(non_chat_operation)],
    provider: "gcp.vertex_ai",
    branches: ANSWER,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// One prediction per text, each with its own token count.
const ANSWER: &[Branch<Answer>] = &[
    field("predictions", Answer::input_list).and(&[elements(&[nested(
        "embeddings",
        &[nested(
            "statistics",
            &[field("token_count", Answer::listed_input)],
        )],
    )])]),
    field("error", Answer::error).and(ERROR),
];

/// Returns nothing for models that may not be LLMs: every model of Vertex AI has this path.
fn non_chat_operation(model: &str) -> Option<&'static str> {
    let operation = operation_for_model(model);
    (operation != "chat").then_some(operation)
}

/// Uses the sum of all predictions, if none of them is missing.
fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    if answer.has_ended {
        answer.counts.set(TokenKind::Input, answer.listed_input);
    }
}
