//! The Responses API of OpenAI, and of compatible servers.

use crate::llm::response::answer::{Answer, Event, ToolCallId};
use crate::llm::response::dialect::openai::tokens_beyond_input_and_output;
use crate::llm::response::dialect::shared::{
    COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS, XAI_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/responses", "chat").requires_model(),
        // Compacts a conversation.
        PathPattern::new("/responses/compact", "chat").requires_model(),
        // A stored response, which may have been generated in the background.
        PathPattern::stored("/responses/", "chat"),
    ],
    provider: "openai_compatible",
    branches: EVENT,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// A response, or an event, which has the same members in `response`.
const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    // A part of a text, of reasoning or of arguments.
    text("delta", Answer::text),
    field("output_index", Answer::tool_call_index),
    nested("item", ITEM),
    nested("response", STREAMED),
    field("id", Answer::response_id),
    field("background", Answer::is_background),
    field("created_at", Answer::created_at),
    field("completed_at", Answer::completed_at),
    field("model", Answer::model),
    field("status", Answer::status),
    nested("usage", USAGE),
    field("service_tier", Answer::service_tier),
    nested("tool_usage", TOOL_USAGE),
    nested("copilot_usage", COPILOT),
    nested(
        "incomplete_details",
        &[field("reason", Answer::finish_reason)],
    ),
    nested("output", &[each(Answer::output_item).and(ITEM)]),
    // The code of an error event. In other events, code that the model ran.
    field("code", Answer::event_code),
    field("error", Answer::error).and(ERROR),
];

const ITEM: &[Branch<Answer>] = &[
    field("type", Answer::item_type),
    field("call_id", Answer::tool_call_id),
    nested("action", &[field("type", Answer::item_action)]),
];

/// Without `output`, since each of its items had an event.
const STREAMED: &[Branch<Answer>] = &[
    field("id", Answer::response_id),
    field("background", Answer::is_background),
    field("created_at", Answer::created_at),
    field("completed_at", Answer::completed_at),
    field("model", Answer::model),
    field("status", Answer::status),
    nested("usage", USAGE),
    field("service_tier", Answer::service_tier),
    nested("tool_usage", TOOL_USAGE),
    nested(
        "incomplete_details",
        &[field("reason", Answer::finish_reason)],
    ),
    field("error", Answer::error).and(ERROR),
];

const USAGE: &[Branch<Answer>] = &[
    field("input_tokens", Answer::input),
    field("output_tokens", Answer::output),
    field("total_tokens", Answer::total),
    nested(
        "input_tokens_details",
        &[
            field("cached_tokens", Answer::cache_read),
            field("cache_write_tokens", Answer::cache_write),
            field("audio_tokens", Answer::audio_input),
        ],
    ),
    nested(
        "output_tokens_details",
        &[
            field("reasoning_tokens", Answer::reasoning),
            field("audio_tokens", Answer::audio_output),
            field("image_tokens", Answer::image_output),
        ],
    ),
    nested("server_tool_use", SERVER_TOOLS),
    nested("server_side_tool_usage_details", XAI_TOOLS),
    nested("pydantic_ai_gateway", GATEWAY),
    // xAI and OpenRouter send numbers, Perplexity an object.
    field("cost_in_usd_ticks", Answer::cost_ticks),
    field("cost", Answer::cost).and(COSTS),
    field("is_byok", Answer::is_byok),
    nested(
        "cost_details",
        &[field("upstream_inference_cost", Answer::upstream_cost)],
    ),
];

/// The billed tools, in newer responses.
const TOOL_USAGE: &[Branch<Answer>] = &[nested(
    "web_search",
    &[field("num_requests", Answer::web_searches)],
)];

/// The events with a part of the reasoning.
const REASONING_EVENTS: [&str; 2] = [
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
];

/// The events that end a stream.
const END_EVENTS: [&str; 4] = [
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
];

fn on_event(answer: &mut Answer, event: &Event) {
    let event_type = event.event_type.as_deref();
    count_item(answer, event, event_type);
    answer.content.has_reasoning |=
        event_type.is_some_and(|event_type| REASONING_EVENTS.contains(&event_type));
    if event_type == Some("error") {
        answer.set_error("");
    }
    // A response that is not streamed has no event type.
    if let (None | Some("error"), Some(code)) = (event_type, &event.code) {
        answer.set_error(code);
    }
    // Items of a response also have a status.
    if event_type.is_some_and(|event_type| !END_EVENTS.contains(&event_type)) {
        return;
    }
    let completed_reason = if answer.tool_call_count() > 0 {
        "tool_calls"
    } else {
        "stop"
    };
    let reason = match event.status.as_deref() {
        Some("completed") => completed_reason,
        Some("incomplete") => event.finish_reason().unwrap_or("length"),
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
    answer.facts.finish_reasons.set(0, reason);
    answer.background.is_final = true;
    answer.has_ended = true;
}

/// Counts the item of an event: a tool call, or a tool that the provider ran.
fn count_item(answer: &mut Answer, event: &Event, event_type: Option<&str>) {
    if event.is_tool_call() {
        answer.content.set_present();
        // A call is sent twice, at its start and at its end. Some servers send neither an id nor
        // an index by which to match the two.
        let id = event.tool_call;
        if id != ToolCallId::default() || event_type == Some("response.output_item.added") {
            answer.add_tool_call(0, id);
        }
    }
    // Only the event at the end has the action of a search.
    if let (Some("response.output_item.done"), Some(unit)) = (event_type, event.unit()) {
        answer.add_unit(unit);
    }
}

fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let extra = tokens_beyond_input_and_output(answer);
    answer.facts.is_inconsistent |= extra.is_some_and(|extra| extra > 0);
}
