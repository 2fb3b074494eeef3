//! Chat and embed of Cohere's API, version 2, and the reranking of many others.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/v2/chat", "chat"),
        Path::new("/v2/embed", "embeddings"),
    ],
    provider: "cohere",
    answer: EVENT,
    conclude,
    settle,
    ..PLAIN
};

/// Whoever offers it has the path, and tells what it took as Cohere does or as OpenAI.
pub(crate) const RERANK: Dialect = Dialect {
    paths: &[Path::new("/rerank", "rerank")],
    provider: "cohere_compatible",
    answer: RANKED,
    settle,
    ..PLAIN
};

const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    // Of an answer that is not streamed.
    at("finish_reason", Field::Finish),
    within("message", MESSAGE),
    within("usage", USAGE),
    // Of embeddings.
    within("meta", USAGE),
    // Of an event, with the number of its part.
    at("index", Field::ToolIndex),
    within(
        "delta",
        &[
            within("message", DELTA),
            at("finish_reason", Field::Finish),
            within("usage", USAGE),
            at("error", Field::Error),
        ],
    ),
];

const MESSAGE: &[Branch] = &[
    within("content", &[each(Field::Content).and(CONTENT)]),
    at("tool_plan", Field::Thought),
    within("tool_calls", &[each(Field::Tool).and(TOOL)]),
];

/// A part of one of those, each of which is an event's alone.
const DELTA: &[Branch] = &[
    within("content", CONTENT),
    at("tool_plan", Field::Thought),
    at("tool_calls", Field::Tool).and(TOOL),
];

const CONTENT: &[Branch] = &[at("text", Field::Content), at("thinking", Field::Thought)];

const TOOL: &[Branch] = &[
    at("id", Field::ToolId),
    within(
        "function",
        &[at("name", Field::ToolName), at("arguments", Field::Content)],
    ),
];

const USAGE: &[Branch] = &[
    within(
        "billed_units",
        &[
            at("input_tokens", Field::Input),
            at("output_tokens", Field::Output),
            at("image_tokens", Field::SeparateImageInput),
            at("search_units", Field::Billed(Unit::SearchUnits)),
            at("images", Field::Billed(Unit::Images)),
        ],
    ),
    within(
        "tokens",
        &[
            at("input_tokens", Field::RawInput),
            at("output_tokens", Field::RawOutput),
            at("reasoning_tokens", Field::Reasoning),
        ],
    ),
    at("cached_tokens", Field::RawCacheRead),
];

const RANKED: &[Branch] = &[
    at("model", Field::Model),
    within("meta", USAGE),
    within(
        "usage",
        &[
            at("prompt_tokens", Field::Input),
            at("total_tokens", Field::Total),
            // OpenRouter's.
            at("cost", Field::Cost),
            at("search_units", Field::Billed(Unit::SearchUnits)),
        ],
    ),
];

fn conclude(answer: &mut Answer, event: &Event) {
    answer.end_turn(event);
    match event.finish() {
        Some("ERROR" | "ERROR_TOXIC") => answer.fail("server_error"),
        Some("TIMEOUT") => answer.fail("timeout"),
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
fn settle(answer: &mut Answer, _: &Call<'_>) {
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
