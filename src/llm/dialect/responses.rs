//! The responses of OpenAI, and of those who speak as it does.

use crate::llm::answer::{Answer, Event, Field, is_tool_call};
use crate::llm::dialect::openai::{COSTS, ERROR};
use crate::llm::dialect::{Dialect, PLAIN, Path};
use crate::llm::scan::{Branch, at, each, within};

pub(super) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/responses", "chat").asks_model(),
        // The same conversation, made shorter.
        Path::new("/responses/compact", "chat").asks_model(),
    ],
    provider: "openai_compatible",
    answer: EVENT,
    conclude,
    ..PLAIN
};

/// What an answer has, an event has under `response`.
const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    // A part of a text, of thoughts or of arguments.
    at("delta", Field::Content),
    at("output_index", Field::ToolIndex),
    within("item", &[at("type", Field::EventItem)]),
    within("response", STREAMED),
    at("model", Field::Model),
    at("status", Field::Status),
    within("usage", USAGE),
    within("incomplete_details", &[at("reason", Field::Finish)]),
    within(
        "output",
        &[each(Field::Content).and(&[at("type", Field::Item)])],
    ),
    // Of an event that is an error; of others, code that the model ran.
    at("code", Field::EventCode),
    at("error", Field::Error).and(ERROR),
];

/// Without the output, whose items each had an event.
const STREAMED: &[Branch] = &[
    at("model", Field::Model),
    at("status", Field::Status),
    within("usage", USAGE),
    within("incomplete_details", &[at("reason", Field::Finish)]),
    at("error", Field::Error).and(ERROR),
];

const USAGE: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("output_tokens", Field::Output),
    within(
        "input_tokens_details",
        &[
            at("cached_tokens", Field::CacheRead),
            at("cache_write_tokens", Field::CacheWrite),
            at("audio_tokens", Field::AudioInput),
        ],
    ),
    within(
        "output_tokens_details",
        &[
            at("reasoning_tokens", Field::Reasoning),
            at("audio_tokens", Field::AudioOutput),
        ],
    ),
    // xAI's, OpenRouter's, and Perplexity's, which is one of several.
    at("cost_in_usd_ticks", Field::CostTicks),
    at("cost", Field::Cost).and(COSTS),
    at("is_byok", Field::IsPaidElsewhere),
    within(
        "cost_details",
        &[at("upstream_inference_cost", Field::CostElsewhere)],
    ),
];

/// The events that show a part of what is thought.
const THOUGHTS: [&str; 2] = [
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
];

/// The events that end a stream.
const ENDS: [&str; 4] = [
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
];

fn conclude(answer: &mut Answer, event: &Event) {
    if event.item.as_deref().is_some_and(is_tool_call) {
        answer.content.come();
        // It is told when it begins, and again when it is complete; llama.cpp gives it
        // no number by which that shows.
        if event.tool.is_some() || event.kind.as_deref() == Some("response.output_item.added") {
            answer.call_tool(0, event.tool);
        }
    }
    let kind = event.kind.as_deref();
    answer.content.has_thoughts |= kind.is_some_and(|kind| THOUGHTS.contains(&kind));
    if kind == Some("error") {
        answer.fail("");
    }
    // An answer that is no event has no kind.
    if let (None | Some("error"), Some(code)) = (kind, &event.code) {
        answer.fail(code);
    }
    // Parts of a response have a status, too.
    if kind.is_some_and(|kind| !ENDS.contains(&kind)) {
        return;
    }
    let called = if answer.tool_calls > 0 {
        "tool_calls"
    } else {
        "stop"
    };
    let reason = match event.status.as_deref() {
        Some("completed") => called,
        Some("incomplete") => event.finish.as_deref().unwrap_or("length"),
        Some("failed" | "cancelled") => {
            answer.fail("");
            "error"
        }
        _ => return,
    };
    answer.finishes.add(0, reason);
    answer.has_ended = true;
}
