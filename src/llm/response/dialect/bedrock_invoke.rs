//! The `InvokeModel` API of Amazon Bedrock, whose models use the formats of their makers.
//!
//! One table covers all of them, since their names do not conflict.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::anthropic::normalize_usage;
use crate::llm::response::dialect::shared::{CACHE_CREATION, ERROR};
use crate::llm::response::dialect::{Dialect, PathPattern, anthropic, bedrock, openai};
use crate::llm::response::json::{Branch, each, elements, field, nested, text};

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

const ANSWER: &[Branch<Answer>] = &[
    field("amazon-bedrock-invocationMetrics", Answer::is_done).and(METRICS),
    field("amazon-bedrock-guardrailAction", Answer::guardrail_action),
    // Anthropic.
    field("type", Answer::event_type),
    field("model", Answer::model),
    field("stop_reason", Answer::finish_reason),
    nested("content", anthropic::CONTENT),
    nested("message", anthropic::MESSAGE),
    field("index", Answer::tool_call_index),
    nested("content_block", anthropic::BLOCK),
    nested("delta", anthropic::DELTA),
    // Several model families.
    nested("usage", USAGE),
    // Nova, which uses the format of Converse.
    nested("output", bedrock::OUTPUT),
    field("stopReason", Answer::finish_reason),
    nested("contentBlockStart", &[nested("start", bedrock::START)]),
    nested("contentBlockDelta", &[nested("delta", bedrock::DELTA)]),
    nested("messageStop", &[field("stopReason", Answer::finish_reason)]),
    nested("metadata", &[nested("usage", USAGE)]),
    // Llama.
    text("generation", Answer::text),
    field("prompt_token_count", Answer::input),
    field("generation_token_count", Answer::output),
    // Titan.
    field("inputTextTokenCount", Answer::input),
    text("outputText", Answer::text),
    field("totalOutputTextTokenCount", Answer::output),
    field("completionReason", Answer::finish_reason),
    nested("results", &[elements(RESULT)]),
    // Mistral, and models in the format of OpenAI.
    nested("outputs", &[each(Answer::choice).and(CHOICE)]),
    nested("choices", &[each(Answer::choice).and(CHOICE)]),
    // Newer and older Cohere models.
    text("text", Answer::text),
    field("finish_reason", Answer::finish_reason),
    nested("generations", &[each(Answer::choice).and(CHOICE)]),
    // Older AI21 models.
    nested("completions", &[each(Answer::choice).and(COMPLETION)]),
    // These show the operation, if the name of the model does not.
    field("embedding", Answer::embeddings),
    field("embeddings", Answer::embeddings),
    field("embeddingsByType", Answer::embeddings),
    field("images", Answer::generated_images),
    field("artifacts", Answer::generated_images),
    field("error", Answer::error).and(ERROR),
];

/// Bedrock adds these to the last event of every format.
const METRICS: &[Branch<Answer>] = &[
    field("inputTokenCount", Answer::input),
    field("outputTokenCount", Answer::output),
    field("cacheReadInputTokenCount", Answer::cache_read),
    field("cacheWriteInputTokenCount", Answer::cache_write),
    field("invocationLatency", Answer::total_millis),
];

const RESULT: &[Branch<Answer>] = &[
    field("relevance_score", Answer::relevance_score),
    field("tokenCount", Answer::output),
    field("completionReason", Answer::finish_reason),
];

const CHOICE: &[Branch<Answer>] = &[
    field("index", Answer::choice_index),
    field("finish_reason", Answer::finish_reason),
    field("stop_reason", Answer::finish_reason),
    text("text", Answer::text),
    nested("delta", openai::MESSAGE),
    nested("message", openai::MESSAGE),
];

const COMPLETION: &[Branch<Answer>] = &[
    nested("data", &[text("text", Answer::text)]),
    field("finishReason", Answer::finish_reason).and(&[field("reason", Answer::finish_reason)]),
];

const USAGE: &[Branch<Answer>] = &[
    field("input_tokens", Answer::input),
    field("output_tokens", Answer::output),
    field("cache_read_input_tokens", Answer::cache_read),
    field("cache_creation_input_tokens", Answer::cache_write),
    nested("cache_creation", CACHE_CREATION),
    field("iterations", Answer::iterations).and(anthropic::ITERATIONS),
    field("inputTokens", Answer::input),
    field("outputTokens", Answer::output),
    field("cacheReadInputTokenCount", Answer::cache_read),
    field("cacheWriteInputTokenCount", Answer::cache_write),
    field("cacheReadInputTokens", Answer::cache_read),
    field("cacheWriteInputTokens", Answer::cache_write),
    field("prompt_tokens", Answer::input),
    field("completion_tokens", Answer::output),
];

/// Interprets an event of any format. The one with Bedrock's metrics is the last.
fn on_event(answer: &mut Answer, event: &Event) {
    anthropic::on_event(answer, event);
    if event.is_done {
        answer.has_ended = true;
    }
}
