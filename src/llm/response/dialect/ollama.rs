//! Chat, Generate and Embed of Ollama's API.

use crate::llm::response::answer::{Answer, Event, TokenKind};
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/api/chat", "chat"),
        PathPattern::new("/api/generate", "text_completion"),
        PathPattern::new("/api/embed", "embeddings"),
    ],
    provider: "ollama",
    branches: LINE,
    is_streamed_by_default: true,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

const LINE: &[Branch<Answer>] = &[
    field("model", Answer::model),
    field("done", Answer::is_done),
    field("done_reason", Answer::finish_reason),
    // Generate.
    text("response", Answer::text),
    text("thinking", Answer::reasoning_text),
    nested(
        "message",
        &[
            text("content", Answer::text),
            text("thinking", Answer::reasoning_text),
            nested(
                "tool_calls",
                &[each(Answer::tool_call)
                    .and(&[nested("function", &[field("name", Answer::tool_name)])])],
            ),
        ],
    ),
    field("prompt_eval_count", Answer::input),
    field("prompt_eval_cached_count", Answer::cache_read),
    field("eval_count", Answer::output),
    field("load_duration", Answer::load_nanos),
    field("prompt_eval_duration", Answer::prompt_nanos),
    field("eval_duration", Answer::generate_nanos),
    field("total_duration", Answer::total_nanos),
    // A message. Compatible servers send an object.
    field("error", Answer::error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    if event.is_done {
        answer.has_ended = true;
        let reason = match event.finish_reason() {
            Some("stop") | None if answer.tool_call_count() > 0 => "tool_calls",
            Some(reason) => reason,
            None => "stop",
        };
        answer.facts.finish_reasons.set(0, reason);
    }
}

/// Adds an output of 0, which the last line omits. A missing input is not 0: older versions also
/// omit it if a part of the prompt was cached.
fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let is_omitted = counts.get(TokenKind::Output).is_none();
    if answer.has_ended && counts.get(TokenKind::Input).is_some() && is_omitted {
        counts.set(TokenKind::Output, Some(0));
    }
}
