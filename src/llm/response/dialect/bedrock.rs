//! The Converse API of Amazon Bedrock.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::anthropic::normalize_usage;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, elements, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/converse", "chat")
            .llm_only()
            .model_after("/model/"),
        PathPattern::new("/converse-stream", "chat")
            .llm_only()
            .model_after("/model/"),
    ],
    provider: "aws.bedrock",
    branches: EVENT,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// A response, or an event. The type of an event is in the headers of its message.
const EVENT: &[Branch<Answer>] = &[
    nested("output", OUTPUT),
    field("stopReason", Answer::finish_reason),
    nested("usage", USAGE),
    nested("metrics", METRICS),
    nested("serviceTier", &[field("type", Answer::service_tier)]),
    // The start of a content block, and its parts.
    nested("start", START),
    nested("delta", DELTA),
];

pub(crate) const OUTPUT: &[Branch<Answer>] =
    &[nested("message", &[nested("content", &[elements(BLOCK)])])];

const BLOCK: &[Branch<Answer>] = &[
    text("text", Answer::text),
    field("toolUse", Answer::tool_call).and(TOOL),
    nested(
        "reasoningContent",
        &[nested(
            "reasoningText",
            &[text("text", Answer::reasoning_text)],
        )],
    ),
];

pub(crate) const START: &[Branch<Answer>] = &[field("toolUse", Answer::tool_call).and(TOOL)];

const TOOL: &[Branch<Answer>] = &[
    field("name", Answer::tool_name),
    field("type", Answer::tool_call_type),
];

pub(crate) const DELTA: &[Branch<Answer>] = &[
    text("text", Answer::text),
    nested("toolUse", &[text("input", Answer::text)]),
    nested("reasoningContent", &[text("text", Answer::reasoning_text)]),
];

const USAGE: &[Branch<Answer>] = &[
    field("inputTokens", Answer::input),
    field("outputTokens", Answer::output),
    field("cacheReadInputTokens", Answer::cache_read),
    field("cacheWriteInputTokens", Answer::cache_write),
    nested(
        "cacheDetails",
        &[each(Answer::cache_write_by_ttl).and(&[
            field("ttl", Answer::cache_ttl),
            field("inputTokens", Answer::listed_tokens),
        ])],
    ),
    // Nova with grounding.
    nested(
        "serverToolUsage",
        &[field("webSearchRequests", Answer::web_searches)],
    ),
];

const METRICS: &[Branch<Answer>] = &[field("latencyMs", Answer::total_millis)];

fn on_event(answer: &mut Answer, event: &Event) {
    answer.update_finish_reason(event);
    // The usage comes after the finish reason.
    if event.event_type.as_deref() == Some("metadata") {
        answer.has_ended = true;
    }
}
