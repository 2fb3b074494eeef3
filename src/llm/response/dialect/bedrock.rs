//! Amazon Bedrock: its own way to converse, and the models that it invokes in theirs.

use crate::llm::facts::{Phase, TimeUnit, Unit};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::anthropic::normalize_usage;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

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

/// An answer, and each event, whose kind is in its message's headers.
const EVENT: &[Branch] = &[
    object("output", OUTPUT),
    field("stopReason", Field::Finish),
    object("usage", USAGE),
    object("metrics", METRICS),
    object("serviceTier", &[field("type", Field::ServiceTier)]),
    // Of a block's beginning, and of its parts.
    object("start", START),
    object("delta", DELTA),
];

pub(crate) const OUTPUT: &[Branch] = &[object(
    "message",
    &[object("content", &[each(Field::Content).and(BLOCK)])],
)];

const BLOCK: &[Branch] = &[
    field("text", Field::Content),
    field("toolUse", Field::Tool).and(TOOL),
    object(
        "reasoningContent",
        &[object("reasoningText", &[field("text", Field::Thought)])],
    ),
];

pub(crate) const START: &[Branch] = &[field("toolUse", Field::Tool).and(TOOL)];

const TOOL: &[Branch] = &[
    field("name", Field::ToolName),
    field("type", Field::ToolKind),
];

pub(crate) const DELTA: &[Branch] = &[
    field("text", Field::Content),
    object("toolUse", &[field("input", Field::Content)]),
    object("reasoningContent", &[field("text", Field::Thought)]),
];

const USAGE: &[Branch] = &[
    field("inputTokens", Field::Input),
    field("outputTokens", Field::Output),
    field("cacheReadInputTokens", Field::CacheRead),
    field("cacheWriteInputTokens", Field::CacheWrite),
    object(
        "cacheDetails",
        &[each(Field::CacheDetail).and(&[
            field("ttl", Field::CacheTtl),
            field("inputTokens", Field::ListedTokens),
        ])],
    ),
    // Nova's grounding.
    object(
        "serverToolUsage",
        &[field("webSearchRequests", Field::Billed(Unit::WebSearches))],
    ),
];

const METRICS: &[Branch] = &[field(
    "latencyMs",
    Field::Took(Phase::Total, TimeUnit::Millis),
)];

fn on_event(answer: &mut Answer, event: &Event) {
    answer.update_finish_reason(event);
    // The usage comes after the reason to stop.
    if event.kind.as_deref() == Some("metadata") {
        answer.has_ended = true;
    }
}
