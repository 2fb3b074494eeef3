//! Chat, generate and embed of Ollama's own API.

use crate::llm::facts::{Phase, TimeUnit};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

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

const LINE: &[Branch] = &[
    field("model", Field::Model),
    field("done", Field::Done),
    field("done_reason", Field::Finish),
    // Of generate.
    field("response", Field::Content),
    field("thinking", Field::Thought),
    object(
        "message",
        &[
            field("content", Field::Content),
            field("thinking", Field::Thought),
            object(
                "tool_calls",
                &[each(Field::Tool).and(&[object("function", &[field("name", Field::ToolName)])])],
            ),
        ],
    ),
    field("prompt_eval_count", Field::Input),
    field("prompt_eval_cached_count", Field::CacheRead),
    field("eval_count", Field::Output),
    field("load_duration", Field::Took(Phase::Load, TimeUnit::Nanos)),
    field(
        "prompt_eval_duration",
        Field::Took(Phase::Prompt, TimeUnit::Nanos),
    ),
    field(
        "eval_duration",
        Field::Took(Phase::Generate, TimeUnit::Nanos),
    ),
    field("total_duration", Field::Took(Phase::Total, TimeUnit::Nanos)),
    // A text, without a type; of those who only speak like it, an object.
    field("error", Field::Error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    if event.is_done {
        answer.has_ended = true;
        let reason = match event.finish() {
            Some("stop") | None if answer.tool_call_count() > 0 => "tool_calls",
            Some(reason) => reason,
            None => "stop",
        };
        answer.finish_reasons.set(0, reason);
    }
}

/// A count that is 0 is left out of the last line. Of an input that does not say so: older
/// versions left out the whole count where a part was cached.
fn normalize_usage(answer: &mut Answer, _: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let is_left_out = counts.get(Field::Output).is_none();
    if answer.has_ended && counts.get(Field::Input).is_some() && is_left_out {
        counts.set(Field::Output, Some(0));
    }
}
