//! The messages of Anthropic, and of those who speak as it does.

use crate::llm::response::answer::{Answer, Event, Field, add_cached_to_input};
use crate::llm::response::dialect::shared::{
    CACHE_CREATION, COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/v1/messages", "chat")
            .llm_only()
            .requires_model(),
        // At Google, where one of the models is none.
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
    // The last usage object of a stream may hold only the output tokens.
    is_usage_complete: false,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

fn operation_for_model(model: &str) -> Option<&'static str> {
    (model != "count-tokens").then_some("chat")
}

const EVENT: &[Branch] = &[
    field("type", Field::Kind),
    field("model", Field::Model),
    object("usage", USAGE),
    field("stop_reason", Field::Finish),
    object("content", CONTENT),
    object("message", MESSAGE),
    // Of `content_block_start`, with the number of the block.
    field("index", Field::ToolIndex),
    object("content_block", BLOCK),
    object("delta", DELTA),
    object("copilot_usage", COPILOT),
    field("error", Field::Error).and(ERROR),
];

pub(crate) const CONTENT: &[Branch] = &[each(Field::Content).and(&[field("type", Field::Item)])];

/// Of `message_start`, whose output tokens only hold the place.
pub(crate) const MESSAGE: &[Branch] = &[field("model", Field::Model), object("usage", INPUT)];

pub(crate) const BLOCK: &[Branch] = &[
    field("type", Field::ItemType),
    field("id", Field::ToolId),
    field("text", Field::Content),
    field("thinking", Field::Thought),
];

/// Of `content_block_delta` and `message_delta`.
pub(crate) const DELTA: &[Branch] = &[
    field("text", Field::Content),
    field("thinking", Field::Thought),
    field("partial_json", Field::Content),
    field("stop_reason", Field::Finish),
];

const USAGE: &[Branch] = &[
    field("input_tokens", Field::Input),
    field("cache_read_input_tokens", Field::CacheRead),
    field("cache_creation_input_tokens", Field::CacheWrite),
    field("output_tokens", Field::Output),
    object(
        "output_tokens_details",
        &[field("thinking_tokens", Field::Reasoning)],
    ),
    object("cache_creation", CACHE_CREATION),
    object("server_tool_use", SERVER_TOOLS),
    field("service_tier", Field::ServiceTier),
    field("speed", Field::Speed),
    // If there was more than one run, the counts beside are those of the last.
    field("iterations", Field::Iterations).and(ITERATIONS),
    // OpenRouter's, which speaks so, too.
    field("cost", Field::Cost).and(COSTS),
    field("is_byok", Field::IsPaidElsewhere),
    object(
        "cost_details",
        &[field("upstream_inference_cost", Field::CostElsewhere)],
    ),
    object("pydantic_ai_gateway", GATEWAY),
];

/// The runs of models that an answer took. One may have compacted the conversation
/// (<https://docs.claude.com/en/docs/build-with-claude/compaction>, "Understanding usage"),
/// one may have been asked for advice, and one may have taken over.
pub(crate) const ITERATIONS: &[Branch] = &[each(Field::Iteration).and(&[
    field("type", Field::IterationKind),
    field("model", Field::IterationModel),
    field("input_tokens", Field::Input),
    field("output_tokens", Field::Output),
    field("cache_read_input_tokens", Field::CacheRead),
    field("cache_creation_input_tokens", Field::CacheWrite),
    object("cache_creation", CACHE_CREATION),
    object(
        "output_tokens_details",
        &[field("thinking_tokens", Field::Reasoning)],
    ),
])];

const INPUT: &[Branch] = &[
    field("input_tokens", Field::Input),
    field("cache_read_input_tokens", Field::CacheRead),
    field("cache_creation_input_tokens", Field::CacheWrite),
    object("cache_creation", CACHE_CREATION),
    field("service_tier", Field::ServiceTier),
    field("speed", Field::Speed),
];

pub(crate) fn on_event(answer: &mut Answer, event: &Event) {
    if event.is_tool_call() {
        answer.add_tool_call(0, event.tool);
        answer.content.note();
    }
    answer.update_finish_reason(event);
    match event.kind.as_deref() {
        Some("message_stop") => answer.has_ended = true,
        Some("error") => answer.set_error(""),
        _ => {}
    }
}

/// Splits the counts by the models that produced them. The input does not include what was
/// cached; nor does that of Bedrock.
pub(crate) fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    add_cached_to_input(&mut answer.counts);
    let answered = answer.model.as_deref();
    let runs = answer.iterations.as_ref();
    let Some(split) = runs.and_then(|runs| runs.split(call.model, answered)) else {
        return;
    };
    if split.has_fallback {
        // The counts beside are those of the model that took over, and so is the name.
        answer.counts = split.requested;
        answer.model = split.first_model;
    } else {
        answer.counts.max_all(&split.requested);
    }
    answer.is_inconsistent |= split.is_mixed;
    answer.other_models = split.others;
}
