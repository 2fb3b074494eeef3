//! Amazon Bedrock: its own way to converse, and the models that it invokes in theirs.

use crate::llm::facts::{Phase, Scale, Unit};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::anthropic::settle;
use crate::llm::response::dialect::bedrock_invoke::{ANSWER, conclude_any};
use crate::llm::response::dialect::{Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const CONVERSE: Dialect = Dialect {
    paths: &[
        Path::new("/converse", "chat")
            .special()
            .model_after("/model/"),
        Path::new("/converse-stream", "chat")
            .special()
            .model_after("/model/"),
    ],
    provider: "aws.bedrock",
    answer: EVENT,
    conclude,
    settle,
    ..PLAIN
};

pub(crate) const INVOKE: Dialect = Dialect {
    paths: &[
        Path::new("/invoke", "chat")
            .special()
            .model_after("/model/")
            .by_name(),
        Path::new("/invoke-with-response-stream", "chat")
            .special()
            .model_after("/model/")
            .by_name(),
    ],
    provider: "aws.bedrock",
    answer: ANSWER,
    is_usage_complete: false,
    conclude: conclude_any,
    settle,
    ..PLAIN
};

/// An answer, and each event, whose kind is in its message's headers.
const EVENT: &[Branch] = &[
    within("output", OUTPUT),
    at("stopReason", Field::Finish),
    within("usage", USAGE),
    within("metrics", METRICS),
    within("serviceTier", &[at("type", Field::ServiceTier)]),
    // Of a block's beginning, and of its parts.
    within("start", START),
    within("delta", DELTA),
];

pub(crate) const OUTPUT: &[Branch] = &[within(
    "message",
    &[within("content", &[each(Field::Content).and(BLOCK)])],
)];

const BLOCK: &[Branch] = &[
    at("text", Field::Content),
    at("toolUse", Field::Tool).and(TOOL),
    within(
        "reasoningContent",
        &[within("reasoningText", &[at("text", Field::Thought)])],
    ),
];

pub(crate) const START: &[Branch] = &[at("toolUse", Field::Tool).and(TOOL)];

const TOOL: &[Branch] = &[at("name", Field::ToolName), at("type", Field::ToolKind)];

pub(crate) const DELTA: &[Branch] = &[
    at("text", Field::Content),
    within("toolUse", &[at("input", Field::Content)]),
    within("reasoningContent", &[at("text", Field::Thought)]),
];

const USAGE: &[Branch] = &[
    at("inputTokens", Field::Input),
    at("outputTokens", Field::Output),
    at("cacheReadInputTokens", Field::CacheRead),
    at("cacheWriteInputTokens", Field::CacheWrite),
    within(
        "cacheDetails",
        &[each(Field::CacheDetail).and(&[
            at("ttl", Field::CacheTtl),
            at("inputTokens", Field::ListedTokens),
        ])],
    ),
    // Nova's grounding.
    within(
        "serverToolUsage",
        &[at("webSearchRequests", Field::Billed(Unit::WebSearches))],
    ),
];

const METRICS: &[Branch] = &[at("latencyMs", Field::Took(Phase::Total, Scale::Millis))];

fn conclude(answer: &mut Answer, event: &Event) {
    answer.end_turn(event);
    // The usage comes after the reason to stop.
    if event.kind.as_deref() == Some("metadata") {
        answer.has_ended = true;
    }
}
