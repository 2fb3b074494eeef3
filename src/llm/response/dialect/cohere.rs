//! Chat and Embed of Cohere's API, version 2, and the Rerank API of many providers.

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

/// All providers of this API have the same path. They report usage as Cohere or as OpenAI does.
pub(crate) const RERANK: Dialect = Dialect {
    paths: &[PathPattern::new("/rerank", "rerank")],
    provider: "cohere_compatible",
    branches: RANKED,
    normalize_usage,
    ..Dialect::DEFAULT
};

const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    // A response that is not streamed.
    field("finish_reason", Answer::finish_reason),
    nested("message", MESSAGE),
    nested("usage", USAGE),
    // Embeddings.
    nested("meta", USAGE),
    // An event, with the index of the content block or tool call.
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

/// A part of a message. An event has only one.
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
            // OpenRouter.
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

/// Uses the billed tokens, as the OpenTelemetry GenAI conventions require, or the raw ones if
/// none are billed.
///
/// Image tokens are billed in addition to the input. Cached tokens are a part of the raw input,
/// which is more than the billed one. Reasoning tokens are a part of the raw output, and are
/// dropped if they exceed the billed one.
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
