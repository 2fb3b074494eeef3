//! The messages of Anthropic, and of those who speak as it does.

use crate::llm::answer::{Answer, Event, Field, is_tool_call};
use crate::llm::dialect::openai::ERROR;
use crate::llm::dialect::{Dialect, Path};
use crate::llm::scan::{Branch, at, each, within};

pub(super) const DIALECT: Dialect = Dialect {
    paths: &[Path {
        end: "/v1/messages",
        operation: "chat",
        is_special: true,
    }],
    provider: "anthropic_compatible",
    answer: EVENT,
    streams: false,
    asks_for_usage: false,
    conclude,
    settle,
};

const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    at("model", Field::Model),
    within("usage", USAGE),
    at("stop_reason", Field::Finish),
    within(
        "content",
        &[each(Field::Content).and(&[at("type", Field::Item)])],
    ),
    // Of `message_start`, whose output tokens only hold the place.
    within(
        "message",
        &[at("model", Field::Model), within("usage", INPUT)],
    ),
    // Of `content_block_start`, with the number of the block.
    at("index", Field::ToolIndex),
    within(
        "content_block",
        &[
            at("type", Field::EventItem),
            at("text", Field::Content),
            at("thinking", Field::Thought),
        ],
    ),
    // Of `content_block_delta` and `message_delta`.
    within(
        "delta",
        &[
            at("text", Field::Content),
            at("thinking", Field::Thought),
            at("partial_json", Field::Content),
            at("stop_reason", Field::Finish),
        ],
    ),
    at("error", Field::Error).and(ERROR),
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
];

const INPUT: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
];

fn conclude(answer: &mut Answer, event: &Event) {
    if event.item.as_deref().is_some_and(is_tool_call) {
        answer.call_tool(0, event.tool);
        answer.content.has_come = true;
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

/// Input does not include what was cached.
fn settle(answer: &mut Answer) {
    let usage = &mut answer.usage;
    let cached = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0);
    usage.input = usage.input.map(|input| input + cached);
}
