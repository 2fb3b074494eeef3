//! Chat and embed of Cohere's API, version 2, and the reranking of many others.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/v2/chat", "chat"),
        PathPattern::new("/v2/embed", "embeddings"),
    ],
    provider: "cohere",
    branches: EVENT,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// Whoever offers it has the path, and tells what it took as Cohere does or as OpenAI.
pub(crate) const RERANK: Dialect = Dialect {
    paths: &[PathPattern::new("/rerank", "rerank")],
    provider: "cohere_compatible",
    branches: RANKED,
    normalize_usage,
    ..Dialect::DEFAULT
};

const EVENT: &[Branch] = &[
    field("type", Field::Kind),
    // Of an answer that is not streamed.
    field("finish_reason", Field::Finish),
    object("message", MESSAGE),
    object("usage", USAGE),
    // Of embeddings.
    object("meta", USAGE),
    // Of an event, with the number of its part.
    field("index", Field::ToolIndex),
    object(
        "delta",
        &[
            object("message", DELTA),
            field("finish_reason", Field::Finish),
            object("usage", USAGE),
            field("error", Field::Error),
        ],
    ),
];

const MESSAGE: &[Branch] = &[
    object("content", &[each(Field::Content).and(CONTENT)]),
    field("tool_plan", Field::Thought),
    object("tool_calls", &[each(Field::Tool).and(TOOL)]),
];

/// A part of one of those, each of which is an event's alone.
const DELTA: &[Branch] = &[
    object("content", CONTENT),
    field("tool_plan", Field::Thought),
    field("tool_calls", Field::Tool).and(TOOL),
];

const CONTENT: &[Branch] = &[
    field("text", Field::Content),
    field("thinking", Field::Thought),
];

const TOOL: &[Branch] = &[
    field("id", Field::ToolId),
    object(
        "function",
        &[
            field("name", Field::ToolName),
            field("arguments", Field::Content),
        ],
    ),
];

const USAGE: &[Branch] = &[
    object(
        "billed_units",
        &[
            field("input_tokens", Field::Input),
            field("output_tokens", Field::Output),
            field("image_tokens", Field::SeparateImageInput),
            field("search_units", Field::Billed(Unit::SearchUnits)),
            field("images", Field::Billed(Unit::Images)),
        ],
    ),
    object(
        "tokens",
        &[
            field("input_tokens", Field::RawInput),
            field("output_tokens", Field::RawOutput),
            field("reasoning_tokens", Field::Reasoning),
        ],
    ),
    field("cached_tokens", Field::RawCacheRead),
];

const RANKED: &[Branch] = &[
    field("model", Field::Model),
    object("meta", USAGE),
    object(
        "usage",
        &[
            field("prompt_tokens", Field::Input),
            field("total_tokens", Field::Total),
            // OpenRouter's.
            field("cost", Field::Cost),
            field("search_units", Field::Billed(Unit::SearchUnits)),
        ],
    ),
];

fn on_event(answer: &mut Answer, event: &Event) {
    answer.update_finish_reason(event);
    match event.finish() {
        Some("ERROR" | "ERROR_TOXIC") => answer.set_error("server_error"),
        Some("TIMEOUT") => answer.set_error("timeout"),
        _ => {}
    }
    if event.kind.as_deref() == Some("message-end") {
        answer.has_ended = true;
    }
}

/// Counts what is billed, as the OpenTelemetry GenAI conventions demand, and the raw tokens
/// if nothing is billed. Images are billed beside. Cached tokens are a part of the raw input,
/// of which the billed one is less; reasoning tokens are a part of the raw output, and count
/// if they fit the billed one.
fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let [input, output] = [Field::Input, Field::Output].map(|field| counts.get(field));
    if input.is_none() && output.is_none() {
        counts.set(Field::Input, counts.get(Field::RawInput));
        counts.set(Field::Output, counts.get(Field::RawOutput));
        counts.set(Field::CacheRead, counts.get(Field::RawCacheRead));
    }
    if counts.get(Field::Reasoning) > counts.get(Field::Output) {
        counts.set(Field::Reasoning, None);
    }
    if let Some(images) = counts.get(Field::SeparateImageInput) {
        counts.add(Field::Input, images);
    }
}
