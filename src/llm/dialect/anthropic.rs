//! The messages of Anthropic, and of those who speak as it does.

use crate::llm::answer::{Answer, Event, Field, Sum, is_tool_call};
use crate::llm::dialect::openai::{COSTS, ERROR};
use crate::llm::dialect::{Dialect, PLAIN, Path};
use crate::llm::scan::{Branch, at, each, within};
use crate::llm::usage::Unit;

pub(super) const DIALECT: Dialect = Dialect {
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
    at("error", Field::Error).and(ERROR),
];

pub(super) const CONTENT: &[Branch] = &[each(Field::Content).and(&[at("type", Field::Item)])];

/// Of `message_start`, whose output tokens only hold the place.
pub(super) const MESSAGE: &[Branch] = &[at("model", Field::Model), within("usage", INPUT)];

pub(super) const BLOCK: &[Branch] = &[
    at("type", Field::EventItem),
    at("text", Field::Content),
    at("thinking", Field::Thought),
];

/// Of `content_block_delta` and `message_delta`.
pub(super) const DELTA: &[Branch] = &[
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
    within(
        "server_tool_use",
        &[at("web_search_requests", Field::Billed(Unit::WebSearches))],
    ),
    // Where there was more than one, of which the numbers beside tell the last.
    at("iterations", Field::Parts).and(ITERATIONS),
    // OpenRouter's, which speaks so, too.
    at("cost", Field::Cost).and(COSTS),
    at("is_byok", Field::IsPaidElsewhere),
    within(
        "cost_details",
        &[at("upstream_inference_cost", Field::CostElsewhere)],
    ),
];

/// The runs of the model that an answer took: one of them may have made the conversation
/// shorter
/// (<https://docs.claude.com/en/docs/build-with-claude/compaction>, "Understanding usage").
pub(super) const ITERATIONS: &[Branch] = &[each(Field::Content).and(&[
    at("input_tokens", Field::Summed(Sum::Input)),
    at("output_tokens", Field::Summed(Sum::Output)),
    at("cache_read_input_tokens", Field::Summed(Sum::CacheRead)),
    at(
        "cache_creation_input_tokens",
        Field::Summed(Sum::CacheWrite),
    ),
])];

const INPUT: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
];

pub(super) fn conclude(answer: &mut Answer, event: &Event) {
    if event.item.as_deref().is_some_and(is_tool_call) {
        answer.call_tool(0, event.tool);
        answer.content.come();
    }
    if let Some(reason) = &event.finish {
        answer.finishes.add(0, reason);
    }
    match event.kind.as_deref() {
        Some("message_stop") => answer.has_ended = true,
        Some("error") => answer.fail(""),
        _ => {}
    }
}

/// Takes the sums over all runs of the model, which are no less than what the last took.
/// Input does not include what was cached; nor does that of Bedrock.
pub(super) fn settle(answer: &mut Answer) {
    let (usage, sums) = (&mut answer.usage, &answer.beside.sums);
    usage.input = usage.input.max(sums.get(Sum::Input));
    usage.output = usage.output.max(sums.get(Sum::Output));
    usage.cache_read = usage.cache_read.max(sums.get(Sum::CacheRead));
    usage.cache_write = usage.cache_write.max(sums.get(Sum::CacheWrite));
    let cached = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0);
    usage.input = usage.input.map(|input| input + cached);
}
