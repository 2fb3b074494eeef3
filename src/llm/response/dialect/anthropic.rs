//! The Messages API of Anthropic, and of compatible servers.

use crate::llm::response::answer::{Answer, Event, add_cached_to_input};
use crate::llm::response::dialect::shared::{
    CACHE_CREATION, COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, elements, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/v1/messages", "chat")
            .llm_only()
            .requires_model(),
        // Google. `count-tokens` is a utility, not a model.
        PathPattern::new(":rawPredict", "chat")
            .llm_only()
            .model_after("/publishers/anthropic/models/")
            .operation_from_model(operation_for_model),
        PathPattern::new(":streamRawPredict", "chat")
            .llm_only()
            .model_after("/publishers/anthropic/models/"),
    ],
    provider: "anthropic_compatible",
    branches: EVENT,
    // The last usage object of a stream may have only the output tokens.
    is_usage_complete: false,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

fn operation_for_model(model: &str) -> Option<&'static str> {
    (model != "count-tokens").then_some("chat")
}

const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    field("model", Answer::model),
    nested("usage", USAGE),
    field("stop_reason", Answer::finish_reason),
    nested("content", CONTENT),
    nested("message", MESSAGE),
    // `content_block_start`, with the index of the block.
    field("index", Answer::tool_call_index),
    nested("content_block", BLOCK),
    nested("delta", DELTA),
    nested("copilot_usage", COPILOT),
    field("error", Answer::error).and(ERROR),
];

pub(crate) const CONTENT: &[Branch<Answer>] =
    &[elements(&[field("type", Answer::content_block_type)])];

/// In `message_start`. Its output tokens are a placeholder, and not read.
pub(crate) const MESSAGE: &[Branch<Answer>] =
    &[field("model", Answer::model), nested("usage", INPUT)];

pub(crate) const BLOCK: &[Branch<Answer>] = &[
    field("type", Answer::item_type),
    field("id", Answer::tool_call_id),
    text("text", Answer::text),
    text("thinking", Answer::reasoning_text),
];

/// In `content_block_delta` and `message_delta`.
pub(crate) const DELTA: &[Branch<Answer>] = &[
    text("text", Answer::text),
    text("thinking", Answer::reasoning_text),
    text("partial_json", Answer::text),
    field("stop_reason", Answer::finish_reason),
];

const USAGE: &[Branch<Answer>] = &[
    field("input_tokens", Answer::input),
    field("cache_read_input_tokens", Answer::cache_read),
    field("cache_creation_input_tokens", Answer::cache_write),
    field("output_tokens", Answer::output),
    nested(
        "output_tokens_details",
        &[field("thinking_tokens", Answer::reasoning)],
    ),
    nested("cache_creation", CACHE_CREATION),
    nested("server_tool_use", SERVER_TOOLS),
    field("service_tier", Answer::service_tier),
    field("speed", Answer::speed),
    // After several runs, the other counts are those of the last run.
    field("iterations", Answer::iterations).and(ITERATIONS),
    // OpenRouter.
    field("cost", Answer::cost).and(COSTS),
    field("is_byok", Answer::is_byok),
    nested(
        "cost_details",
        &[field("upstream_inference_cost", Answer::upstream_cost)],
    ),
    nested("pydantic_ai_gateway", GATEWAY),
];

/// The model runs behind a response. A run may compact the conversation
/// (<https://docs.claude.com/en/docs/build-with-claude/compaction>, "Understanding usage"),
/// give advice to another model, or take over from it.
pub(crate) const ITERATIONS: &[Branch<Answer>] = &[each(Answer::iteration).and(&[
    field("type", Answer::iteration_type),
    field("model", Answer::iteration_model),
    field("input_tokens", Answer::input),
    field("output_tokens", Answer::output),
    field("cache_read_input_tokens", Answer::cache_read),
    field("cache_creation_input_tokens", Answer::cache_write),
    nested("cache_creation", CACHE_CREATION),
    nested(
        "output_tokens_details",
        &[field("thinking_tokens", Answer::reasoning)],
    ),
])];

const INPUT: &[Branch<Answer>] = &[
    field("input_tokens", Answer::input),
    field("cache_read_input_tokens", Answer::cache_read),
    field("cache_creation_input_tokens", Answer::cache_write),
    nested("cache_creation", CACHE_CREATION),
    field("service_tier", Answer::service_tier),
    field("speed", Answer::speed),
];

pub(crate) fn on_event(answer: &mut Answer, event: &Event) {
    if event.is_tool_call() {
        answer.add_tool_call(0, event.tool_call);
        answer.content.set_present();
    }
    answer.update_finish_reason(event);
    match event.event_type.as_deref() {
        Some("message_stop") => answer.has_ended = true,
        Some("error") => answer.set_error(""),
        _ => {}
    }
}

/// Splits the counts by model, and adds cached tokens to the input, which does not include them.
/// Bedrock counts in the same way.
pub(crate) fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    add_cached_to_input(&mut answer.counts);
    let Some(split) = answer.usage_by_model(call.model) else {
        return;
    };
    if split.has_fallback {
        // The other counts and the model of the response are those of the model that took over.
        answer.counts = split.requested;
        answer.facts.response_model = split.first_model;
    } else {
        answer.counts.max_all(&split.requested);
    }
    answer.facts.is_inconsistent |= split.is_mixed;
    answer.other_models = split.others;
}
