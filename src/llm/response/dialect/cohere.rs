//! Chat and embed of Cohere's API, version 2, and the reranking of many others.

use crate::llm::response::answer::{Answer, Event, TokenKind};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, elements, field, nested, text};

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

const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    // Of an answer that is not streamed.
    field("finish_reason", Answer::finish_reason),
    nested("message", MESSAGE),
    nested("usage", USAGE),
    // Of embeddings.
    nested("meta", USAGE),
    // Of an event, with the number of its part.
    field("index", Answer::tool_call_index),
    nested(
        "delta",
        &[
            nested("message", DELTA),
            field("finish_reason", Answer::finish_reason),
            nested("usage", USAGE),
            field("error", Answer::error),
        ],
    ),
];

const MESSAGE: &[Branch<Answer>] = &[
    nested("content", &[elements(CONTENT)]),
    text("tool_plan", Answer::reasoning_text),
    nested("tool_calls", &[each(Answer::tool_call).and(TOOL)]),
];

/// A part of one of those, each of which is an event's alone.
const DELTA: &[Branch<Answer>] = &[
    nested("content", CONTENT),
    text("tool_plan", Answer::reasoning_text),
    field("tool_calls", Answer::tool_call).and(TOOL),
];

const CONTENT: &[Branch<Answer>] = &[
    text("text", Answer::text),
    text("thinking", Answer::reasoning_text),
];

const TOOL: &[Branch<Answer>] = &[
    field("id", Answer::tool_call_id),
    nested(
        "function",
        &[
            field("name", Answer::tool_name),
            text("arguments", Answer::text),
        ],
    ),
];

const USAGE: &[Branch<Answer>] = &[
    nested(
        "billed_units",
        &[
            field("input_tokens", Answer::input),
            field("output_tokens", Answer::output),
            field("image_tokens", Answer::extra_image_input),
            field("search_units", Answer::search_units),
            field("images", Answer::images),
        ],
    ),
    nested(
        "tokens",
        &[
            field("input_tokens", Answer::raw_input),
            field("output_tokens", Answer::raw_output),
            field("reasoning_tokens", Answer::reasoning),
        ],
    ),
    field("cached_tokens", Answer::raw_cache_read),
];

const RANKED: &[Branch<Answer>] = &[
    field("model", Answer::model),
    nested("meta", USAGE),
    nested(
        "usage",
        &[
            field("prompt_tokens", Answer::input),
            field("total_tokens", Answer::total),
            // OpenRouter's.
            field("cost", Answer::cost),
            field("search_units", Answer::search_units),
        ],
    ),
];

fn on_event(answer: &mut Answer, event: &Event) {
    answer.update_finish_reason(event);
    match event.finish_reason() {
        Some("ERROR" | "ERROR_TOXIC") => answer.set_error("server_error"),
        Some("TIMEOUT") => answer.set_error("timeout"),
        _ => {}
    }
    if event.event_type.as_deref() == Some("message-end") {
        answer.has_ended = true;
    }
}

/// Counts what is billed, as the OpenTelemetry GenAI conventions demand, and the raw tokens
/// if nothing is billed. Images are billed beside. Cached tokens are a part of the raw input,
/// of which the billed one is less; reasoning tokens are a part of the raw output, and count
/// if they fit the billed one.
fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let [input, output] = [TokenKind::Input, TokenKind::Output].map(|kind| counts.get(kind));
    if input.is_none() && output.is_none() {
        counts.set(TokenKind::Input, counts.get(TokenKind::RawInput));
        counts.set(TokenKind::Output, counts.get(TokenKind::RawOutput));
        counts.set(TokenKind::CacheRead, counts.get(TokenKind::RawCacheRead));
    }
    if counts.get(TokenKind::Reasoning) > counts.get(TokenKind::Output) {
        counts.set(TokenKind::Reasoning, None);
    }
    if let Some(images) = counts.get(TokenKind::ExtraImageInput) {
        counts.add(TokenKind::Input, images);
    }
}
