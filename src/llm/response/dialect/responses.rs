//! The responses of OpenAI, and of those who speak as it does.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field, ToolCallId};
use crate::llm::response::dialect::openai::{
    COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS, XAI_TOOLS, beside_both,
};
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/responses", "chat").asks_model(),
        // The same conversation, made shorter.
        Path::new("/responses/compact", "chat").asks_model(),
        // A stored response, which may have been made in the background.
        Path::stored("/responses/", "chat"),
    ],
    provider: "openai_compatible",
    answer: EVENT,
    conclude,
    settle,
    ..PLAIN
};

/// What an answer has, an event has under `response`.
const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    // A part of a text, of thoughts or of arguments.
    at("delta", Field::Content),
    at("output_index", Field::ToolIndex),
    within("item", ITEM),
    within("response", STREAMED),
    at("id", Field::AnswerId),
    at("background", Field::Background),
    at("created_at", Field::CreatedAt),
    at("completed_at", Field::CompletedAt),
    at("model", Field::Model),
    at("status", Field::Status),
    within("usage", USAGE),
    at("service_tier", Field::ServiceTier),
    within("tool_usage", TOOL_USAGE),
    within("copilot_usage", COPILOT),
    within("incomplete_details", &[at("reason", Field::Finish)]),
    within("output", &[each(Field::OutputItem).and(ITEM)]),
    // Of an event that is an error; of others, code that the model ran.
    at("code", Field::EventCode),
    at("error", Field::Error).and(ERROR),
];

const ITEM: &[Branch] = &[
    at("type", Field::ItemType),
    at("call_id", Field::ToolId),
    within("action", &[at("type", Field::ItemAction)]),
];

/// Without the output, whose items each had an event.
const STREAMED: &[Branch] = &[
    at("id", Field::AnswerId),
    at("background", Field::Background),
    at("created_at", Field::CreatedAt),
    at("completed_at", Field::CompletedAt),
    at("model", Field::Model),
    at("status", Field::Status),
    within("usage", USAGE),
    at("service_tier", Field::ServiceTier),
    within("tool_usage", TOOL_USAGE),
    within("incomplete_details", &[at("reason", Field::Finish)]),
    at("error", Field::Error).and(ERROR),
];

const USAGE: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("output_tokens", Field::Output),
    at("total_tokens", Field::Total),
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
            at("image_tokens", Field::ImageOutput),
        ],
    ),
    within("server_tool_use", SERVER_TOOLS),
    within("server_side_tool_usage_details", XAI_TOOLS),
    within("pydantic_ai_gateway", GATEWAY),
    // xAI's, OpenRouter's, and Perplexity's, which is one of several.
    at("cost_in_usd_ticks", Field::CostTicks),
    at("cost", Field::Cost).and(COSTS),
    at("is_byok", Field::IsPaidElsewhere),
    within(
        "cost_details",
        &[at("upstream_inference_cost", Field::CostElsewhere)],
    ),
];

/// What the provider bills for tools, of newer answers.
const TOOL_USAGE: &[Branch] = &[within(
    "web_search",
    &[at("num_requests", Field::Billed(Unit::WebSearches))],
)];

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
    let kind = event.kind.as_deref();
    conclude_item(answer, event, kind);
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
    let called = if answer.tool_calls() > 0 {
        "tool_calls"
    } else {
        "stop"
    };
    let reason = match event.status.as_deref() {
        Some("completed") => called,
        Some("incomplete") => event.finish().unwrap_or("length"),
        Some("failed" | "cancelled") => {
            answer.fail("");
            "error"
        }
        Some("queued" | "in_progress") => {
            answer.background.is_pending = true;
            return;
        }
        _ => return,
    };
    answer.finishes.add(0, reason);
    answer.background.is_final = true;
    answer.has_ended = true;
}

/// Counts the item of an event: a tool call of the caller's, or a tool that the provider ran.
fn conclude_item(answer: &mut Answer, event: &Event, kind: Option<&str>) {
    if event.is_tool_call() {
        answer.content.note();
        // It comes when it begins, and again when it is complete. Some servers give it
        // neither an id nor an index that shows this.
        let identity = event.tool;
        if identity != ToolCallId::default() || kind == Some("response.output_item.added") {
            answer.call_tool(0, identity);
        }
    }
    // Only a complete item says what it searched for.
    if let (Some("response.output_item.done"), Some(unit)) = (kind, event.unit()) {
        answer.use_unit(unit);
    }
}

fn settle(answer: &mut Answer, _: &Call<'_>) {
    let beside = beside_both(answer);
    answer.is_inconsistent |= beside.is_some_and(|beside| beside > 0);
}
