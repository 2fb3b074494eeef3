//! The responses of OpenAI, and of those who speak as it does.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field, ToolCallId};
use crate::llm::response::dialect::openai::tokens_beyond_input_and_output;
use crate::llm::response::dialect::shared::{
    COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS, XAI_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/responses", "chat").requires_model(),
        // The same conversation, made shorter.
        PathPattern::new("/responses/compact", "chat").requires_model(),
        // A stored response, which may have been made in the background.
        PathPattern::stored("/responses/", "chat"),
    ],
    provider: "openai_compatible",
    branches: EVENT,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// What an answer has, an event has under `response`.
const EVENT: &[Branch] = &[
    field("type", Field::Kind),
    // A part of a text, of thoughts or of arguments.
    field("delta", Field::Content),
    field("output_index", Field::ToolIndex),
    object("item", ITEM),
    object("response", STREAMED),
    field("id", Field::AnswerId),
    field("background", Field::Background),
    field("created_at", Field::CreatedAt),
    field("completed_at", Field::CompletedAt),
    field("model", Field::Model),
    field("status", Field::Status),
    object("usage", USAGE),
    field("service_tier", Field::ServiceTier),
    object("tool_usage", TOOL_USAGE),
    object("copilot_usage", COPILOT),
    object("incomplete_details", &[field("reason", Field::Finish)]),
    object("output", &[each(Field::OutputItem).and(ITEM)]),
    // Of an event that is an error; of others, code that the model ran.
    field("code", Field::EventCode),
    field("error", Field::Error).and(ERROR),
];

const ITEM: &[Branch] = &[
    field("type", Field::ItemType),
    field("call_id", Field::ToolId),
    object("action", &[field("type", Field::ItemAction)]),
];

/// Without the output, whose items each had an event.
const STREAMED: &[Branch] = &[
    field("id", Field::AnswerId),
    field("background", Field::Background),
    field("created_at", Field::CreatedAt),
    field("completed_at", Field::CompletedAt),
    field("model", Field::Model),
    field("status", Field::Status),
    object("usage", USAGE),
    field("service_tier", Field::ServiceTier),
    object("tool_usage", TOOL_USAGE),
    object("incomplete_details", &[field("reason", Field::Finish)]),
    field("error", Field::Error).and(ERROR),
];

const USAGE: &[Branch] = &[
    field("input_tokens", Field::Input),
    field("output_tokens", Field::Output),
    field("total_tokens", Field::Total),
    object(
        "input_tokens_details",
        &[
            field("cached_tokens", Field::CacheRead),
            field("cache_write_tokens", Field::CacheWrite),
            field("audio_tokens", Field::AudioInput),
        ],
    ),
    object(
        "output_tokens_details",
        &[
            field("reasoning_tokens", Field::Reasoning),
            field("audio_tokens", Field::AudioOutput),
            field("image_tokens", Field::ImageOutput),
        ],
    ),
    object("server_tool_use", SERVER_TOOLS),
    object("server_side_tool_usage_details", XAI_TOOLS),
    object("pydantic_ai_gateway", GATEWAY),
    // xAI's, OpenRouter's, and Perplexity's, which is one of several.
    field("cost_in_usd_ticks", Field::CostTicks),
    field("cost", Field::Cost).and(COSTS),
    field("is_byok", Field::IsPaidElsewhere),
    object(
        "cost_details",
        &[field("upstream_inference_cost", Field::CostElsewhere)],
    ),
];

/// What the provider bills for tools, of newer answers.
const TOOL_USAGE: &[Branch] = &[object(
    "web_search",
    &[field("num_requests", Field::Billed(Unit::WebSearches))],
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

fn on_event(answer: &mut Answer, event: &Event) {
    let kind = event.kind.as_deref();
    on_item(answer, event, kind);
    answer.content.has_thoughts |= kind.is_some_and(|kind| THOUGHTS.contains(&kind));
    if kind == Some("error") {
        answer.set_error("");
    }
    // An answer that is no event has no kind.
    if let (None | Some("error"), Some(code)) = (kind, &event.code) {
        answer.set_error(code);
    }
    // Parts of a response have a status, too.
    if kind.is_some_and(|kind| !ENDS.contains(&kind)) {
        return;
    }
    let called = if answer.tool_call_count() > 0 {
        "tool_calls"
    } else {
        "stop"
    };
    let reason = match event.status.as_deref() {
        Some("completed") => called,
        Some("incomplete") => event.finish().unwrap_or("length"),
        Some("failed" | "cancelled") => {
            answer.set_error("");
            "error"
        }
        Some("queued" | "in_progress") => {
            answer.background.is_pending = true;
            return;
        }
        _ => return,
    };
    answer.finish_reasons.set(0, reason);
    answer.background.is_final = true;
    answer.has_ended = true;
}

/// Counts the item of an event: a tool call of the caller's, or a tool that the provider ran.
fn on_item(answer: &mut Answer, event: &Event, kind: Option<&str>) {
    if event.is_tool_call() {
        answer.content.note();
        // It comes when it begins, and again when it is complete. Some servers give it
        // neither an id nor an index that shows this.
        let identity = event.tool;
        if identity != ToolCallId::default() || kind == Some("response.output_item.added") {
            answer.add_tool_call(0, identity);
        }
    }
    // Only a complete item says what it searched for.
    if let (Some("response.output_item.done"), Some(unit)) = (kind, event.unit()) {
        answer.add_unit(unit);
    }
}

fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let beside = tokens_beyond_input_and_output(answer);
    answer.is_inconsistent |= beside.is_some_and(|beside| beside > 0);
}
