//! The answers of the models that Bedrock invokes, each in the way of whoever made it.
//!
//! Their names for things are so different that one table can have them all.

use crate::llm::facts::{Phase, Scale};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::{anthropic, bedrock, openai};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const ANSWER: &[Branch] = &[
    at("amazon-bedrock-invocationMetrics", Field::Done).and(METRICS),
    at("amazon-bedrock-guardrailAction", Field::Guardrail),
    // Anthropic's.
    at("type", Field::Kind),
    at("model", Field::Model),
    at("stop_reason", Field::Finish),
    within("content", anthropic::CONTENT),
    within("message", anthropic::MESSAGE),
    at("index", Field::ToolIndex),
    within("content_block", anthropic::BLOCK),
    within("delta", anthropic::DELTA),
    // Of several.
    within("usage", USAGE),
    // Nova's, which are as Bedrock's own.
    within("output", bedrock::OUTPUT),
    at("stopReason", Field::Finish),
    within("contentBlockStart", &[within("start", bedrock::START)]),
    within("contentBlockDelta", &[within("delta", bedrock::DELTA)]),
    within("messageStop", &[at("stopReason", Field::Finish)]),
    within("metadata", &[within("usage", USAGE)]),
    // Llama's.
    at("generation", Field::Content),
    at("prompt_token_count", Field::Input),
    at("generation_token_count", Field::Output),
    // Titan's.
    at("inputTextTokenCount", Field::Input),
    at("outputText", Field::Content),
    at("totalOutputTextTokenCount", Field::Output),
    at("completionReason", Field::Finish),
    within("results", &[each(Field::Content).and(RESULT)]),
    // Mistral's, and those of whoever speaks as OpenAI does.
    within("outputs", &[each(Field::Choice).and(CHOICE)]),
    within("choices", &[each(Field::Choice).and(CHOICE)]),
    // Cohere's, of newer models and older ones.
    at("text", Field::Content),
    at("finish_reason", Field::Finish),
    within("generations", &[each(Field::Choice).and(CHOICE)]),
    // AI21's older models'.
    within("completions", &[each(Field::Choice).and(COMPLETION)]),
    // What an answer holds shows the operation, if the name of the model does not.
    at("embedding", Field::Operation("embeddings")),
    at("embeddings", Field::Operation("embeddings")),
    at("embeddingsByType", Field::Operation("embeddings")),
    at("images", Field::Operation("image_generation")),
    at("artifacts", Field::Operation("image_generation")),
    at("error", Field::Error).and(openai::ERROR),
];

/// What Bedrock adds to the last event of any of them.
const METRICS: &[Branch] = &[
    at("inputTokenCount", Field::Input),
    at("outputTokenCount", Field::Output),
    at("cacheReadInputTokenCount", Field::CacheRead),
    at("cacheWriteInputTokenCount", Field::CacheWrite),
    at(
        "invocationLatency",
        Field::Took(Phase::Total, Scale::Millis),
    ),
];

const RESULT: &[Branch] = &[
    at("relevance_score", Field::Operation("rerank")),
    at("tokenCount", Field::Output),
    at("completionReason", Field::Finish),
];

const CHOICE: &[Branch] = &[
    at("index", Field::Index),
    at("finish_reason", Field::Finish),
    at("stop_reason", Field::Finish),
    at("text", Field::Content),
    within("delta", openai::MESSAGE),
    within("message", openai::MESSAGE),
];

const COMPLETION: &[Branch] = &[
    within("data", &[at("text", Field::Content)]),
    at("finishReason", Field::Finish).and(&[at("reason", Field::Finish)]),
];

const USAGE: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("output_tokens", Field::Output),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    within("cache_creation", anthropic::CACHE_CREATION),
    at("iterations", Field::Iterations).and(anthropic::ITERATIONS),
    at("inputTokens", Field::Input),
    at("outputTokens", Field::Output),
    at("cacheReadInputTokenCount", Field::CacheRead),
    at("cacheWriteInputTokenCount", Field::CacheWrite),
    at("cacheReadInputTokens", Field::CacheRead),
    at("cacheWriteInputTokens", Field::CacheWrite),
    at("prompt_tokens", Field::Input),
    at("completion_tokens", Field::Output),
];

/// Says what an event of any of them means. The last is the one that tells what it took.
pub(crate) fn conclude_any(answer: &mut Answer, event: &Event) {
    anthropic::conclude(answer, event);
    if event.is_done {
        answer.has_ended = true;
    }
}
