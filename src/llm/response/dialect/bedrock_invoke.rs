//! The answers of the models that Bedrock invokes, each in the way of whoever made it.
//!
//! Their names for things are so different that one table can have them all.

use crate::llm::facts::{Phase, TimeUnit};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::anthropic::normalize_usage;
use crate::llm::response::dialect::shared::{CACHE_CREATION, ERROR};
use crate::llm::response::dialect::{Dialect, PathPattern, anthropic, bedrock, openai};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/invoke", "chat")
            .llm_only()
            .model_after("/model/")
            .operation_from_model_name(),
        PathPattern::new("/invoke-with-response-stream", "chat")
            .llm_only()
            .model_after("/model/")
            .operation_from_model_name(),
    ],
    provider: "aws.bedrock",
    branches: ANSWER,
    is_usage_complete: false,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

const ANSWER: &[Branch] = &[
    field("amazon-bedrock-invocationMetrics", Field::Done).and(METRICS),
    field("amazon-bedrock-guardrailAction", Field::Guardrail),
    // Anthropic's.
    field("type", Field::Kind),
    field("model", Field::Model),
    field("stop_reason", Field::Finish),
    object("content", anthropic::CONTENT),
    object("message", anthropic::MESSAGE),
    field("index", Field::ToolIndex),
    object("content_block", anthropic::BLOCK),
    object("delta", anthropic::DELTA),
    // Of several.
    object("usage", USAGE),
    // Nova's, which are as Bedrock's own.
    object("output", bedrock::OUTPUT),
    field("stopReason", Field::Finish),
    object("contentBlockStart", &[object("start", bedrock::START)]),
    object("contentBlockDelta", &[object("delta", bedrock::DELTA)]),
    object("messageStop", &[field("stopReason", Field::Finish)]),
    object("metadata", &[object("usage", USAGE)]),
    // Llama's.
    field("generation", Field::Content),
    field("prompt_token_count", Field::Input),
    field("generation_token_count", Field::Output),
    // Titan's.
    field("inputTextTokenCount", Field::Input),
    field("outputText", Field::Content),
    field("totalOutputTextTokenCount", Field::Output),
    field("completionReason", Field::Finish),
    object("results", &[each(Field::Content).and(RESULT)]),
    // Mistral's, and those of whoever speaks as OpenAI does.
    object("outputs", &[each(Field::Choice).and(CHOICE)]),
    object("choices", &[each(Field::Choice).and(CHOICE)]),
    // Cohere's, of newer models and older ones.
    field("text", Field::Content),
    field("finish_reason", Field::Finish),
    object("generations", &[each(Field::Choice).and(CHOICE)]),
    // AI21's older models'.
    object("completions", &[each(Field::Choice).and(COMPLETION)]),
    // What an answer holds shows the operation, if the name of the model does not.
    field("embedding", Field::Operation("embeddings")),
    field("embeddings", Field::Operation("embeddings")),
    field("embeddingsByType", Field::Operation("embeddings")),
    field("images", Field::Operation("image_generation")),
    field("artifacts", Field::Operation("image_generation")),
    field("error", Field::Error).and(ERROR),
];

/// What Bedrock adds to the last event of any of them.
const METRICS: &[Branch] = &[
    field("inputTokenCount", Field::Input),
    field("outputTokenCount", Field::Output),
    field("cacheReadInputTokenCount", Field::CacheRead),
    field("cacheWriteInputTokenCount", Field::CacheWrite),
    field(
        "invocationLatency",
        Field::Took(Phase::Total, TimeUnit::Millis),
    ),
];

const RESULT: &[Branch] = &[
    field("relevance_score", Field::Operation("rerank")),
    field("tokenCount", Field::Output),
    field("completionReason", Field::Finish),
];

const CHOICE: &[Branch] = &[
    field("index", Field::Index),
    field("finish_reason", Field::Finish),
    field("stop_reason", Field::Finish),
    field("text", Field::Content),
    object("delta", openai::MESSAGE),
    object("message", openai::MESSAGE),
];

const COMPLETION: &[Branch] = &[
    object("data", &[field("text", Field::Content)]),
    field("finishReason", Field::Finish).and(&[field("reason", Field::Finish)]),
];

const USAGE: &[Branch] = &[
    field("input_tokens", Field::Input),
    field("output_tokens", Field::Output),
    field("cache_read_input_tokens", Field::CacheRead),
    field("cache_creation_input_tokens", Field::CacheWrite),
    object("cache_creation", CACHE_CREATION),
    field("iterations", Field::Iterations).and(anthropic::ITERATIONS),
    field("inputTokens", Field::Input),
    field("outputTokens", Field::Output),
    field("cacheReadInputTokenCount", Field::CacheRead),
    field("cacheWriteInputTokenCount", Field::CacheWrite),
    field("cacheReadInputTokens", Field::CacheRead),
    field("cacheWriteInputTokens", Field::CacheWrite),
    field("prompt_tokens", Field::Input),
    field("completion_tokens", Field::Output),
];

/// Says what an event of any of them means. The last is the one that tells what it took.
fn on_event(answer: &mut Answer, event: &Event) {
    anthropic::on_event(answer, event);
    if event.is_done {
        answer.has_ended = true;
    }
}
