//! The messages of Anthropic, and of those who speak as it does.

use crate::llm::response::answer::{Answer, Event, Field, include_cached};
use crate::llm::response::dialect::openai::{COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS};
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/v1/messages", "chat").special().asks_model(),
        // At Google, where one of the models is none.
        Path::new(":rawPredict", "chat")
            .special()
            .model_after("/publishers/anthropic/models/")
            .of_model(of_model),
        Path::new(":streamRawPredict", "chat")
            .special()
            .model_after("/publishers/anthropic/models/"),
    ],
    provider: "anthropic_compatible",
    answer: EVENT,
    // The last usage object of a stream may hold only the output tokens.
    is_usage_complete: false,
    conclude,
    settle,
    ..PLAIN
};

fn of_model(model: &str) -> Option<&'static str> {
    (model != "count-tokens").then_some("chat")
}

const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    at("model", Field::Model),
    within("usage", USAGE),
    at("stop_reason", Field::Finish),
    within("content", CONTENT),
    within("message", MESSAGE),
    // Of `content_block_start`, with the number of the block.
    at("index", Field::ToolIndex),
    within("content_block", BLOCK),
    within("delta", DELTA),
    within("copilot_usage", COPILOT),
    at("error", Field::Error).and(ERROR),
];

pub(crate) const CONTENT: &[Branch] = &[each(Field::Content).and(&[at("type", Field::Item)])];

/// Of `message_start`, whose output tokens only hold the place.
pub(crate) const MESSAGE: &[Branch] = &[at("model", Field::Model), within("usage", INPUT)];

pub(crate) const BLOCK: &[Branch] = &[
    at("type", Field::ItemType),
    at("id", Field::ToolId),
    at("text", Field::Content),
    at("thinking", Field::Thought),
];

/// Of `content_block_delta` and `message_delta`.
pub(crate) const DELTA: &[Branch] = &[
    at("text", Field::Content),
    at("thinking", Field::Thought),
    at("partial_json", Field::Content),
    at("stop_reason", Field::Finish),
];

const USAGE: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    at("output_tokens", Field::Output),
    within(
        "output_tokens_details",
        &[at("thinking_tokens", Field::Reasoning)],
    ),
    within("cache_creation", CACHE_CREATION),
    within("server_tool_use", SERVER_TOOLS),
    at("service_tier", Field::ServiceTier),
    at("speed", Field::Speed),
    // If there was more than one run, the counts beside are those of the last.
    at("iterations", Field::Iterations).and(ITERATIONS),
    // OpenRouter's, which speaks so, too.
    at("cost", Field::Cost).and(COSTS),
    at("is_byok", Field::IsPaidElsewhere),
    within(
        "cost_details",
        &[at("upstream_inference_cost", Field::CostElsewhere)],
    ),
    within("pydantic_ai_gateway", GATEWAY),
];

/// The runs of models that an answer took. One may have compacted the conversation
/// (<https://docs.claude.com/en/docs/build-with-claude/compaction>, "Understanding usage"),
/// one may have been asked for advice, and one may have taken over.
pub(crate) const ITERATIONS: &[Branch] = &[each(Field::Iteration).and(&[
    at("type", Field::IterationKind),
    at("model", Field::IterationModel),
    at("input_tokens", Field::Input),
    at("output_tokens", Field::Output),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    within("cache_creation", CACHE_CREATION),
    within(
        "output_tokens_details",
        &[at("thinking_tokens", Field::Reasoning)],
    ),
])];

const INPUT: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    within("cache_creation", CACHE_CREATION),
    at("service_tier", Field::ServiceTier),
    at("speed", Field::Speed),
];

/// The cache writes, by how long they are kept.
pub(crate) const CACHE_CREATION: &[Branch] =
    &[at("ephemeral_1h_input_tokens", Field::CacheWrite1h)];

pub(crate) fn conclude(answer: &mut Answer, event: &Event) {
    if event.is_tool_call() {
        answer.call_tool(0, event.tool);
        answer.content.note();
    }
    answer.end_turn(event);
    match event.kind.as_deref() {
        Some("message_stop") => answer.has_ended = true,
        Some("error") => answer.fail(""),
        _ => {}
    }
}

/// Splits the counts by the models that produced them. The input does not include what was
/// cached; nor does that of Bedrock.
pub(crate) fn settle(answer: &mut Answer, call: &Call<'_>) {
    include_cached(&mut answer.counts);
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
        answer.counts.raise(&split.requested);
    }
    answer.is_inconsistent |= split.is_mixed;
    answer.other_models = split.others;
}
