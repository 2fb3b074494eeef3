//! Chat, generate and embed of Ollama's own API.

use crate::llm::facts::{Phase, Scale};
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::openai::ERROR;
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/api/chat", "chat"),
        Path::new("/api/generate", "text_completion"),
        Path::new("/api/embed", "embeddings"),
    ],
    provider: "ollama",
    answer: LINE,
    streams: true,
    conclude,
    settle,
    ..PLAIN
};

const LINE: &[Branch] = &[
    at("model", Field::Model),
    at("done", Field::Done),
    at("done_reason", Field::Finish),
    // Of generate.
    at("response", Field::Content),
    at("thinking", Field::Thought),
    within(
        "message",
        &[
            at("content", Field::Content),
            at("thinking", Field::Thought),
            within(
                "tool_calls",
                &[each(Field::Tool).and(&[within("function", &[at("name", Field::ToolName)])])],
            ),
        ],
    ),
    at("prompt_eval_count", Field::Input),
    at("prompt_eval_cached_count", Field::CacheRead),
    at("eval_count", Field::Output),
    at("load_duration", Field::Took(Phase::Load, Scale::Nanos)),
    at(
        "prompt_eval_duration",
        Field::Took(Phase::Prompt, Scale::Nanos),
    ),
    at("eval_duration", Field::Took(Phase::Generate, Scale::Nanos)),
    at("total_duration", Field::Took(Phase::Total, Scale::Nanos)),
    // A text, without a type; of those who only speak like it, an object.
    at("error", Field::Error).and(ERROR),
];

fn conclude(answer: &mut Answer, event: &Event) {
    if event.is_done {
        answer.has_ended = true;
        let reason = match event.finish() {
            Some("stop") | None if answer.tool_calls() > 0 => "tool_calls",
            Some(reason) => reason,
            None => "stop",
        };
        answer.finishes.add(0, reason);
    }
}

/// A count that is 0 is left out of the last line. Of an input that does not say so: older
/// versions left out the whole count where a part was cached.
fn settle(answer: &mut Answer, _: &Call<'_>) {
    let counts = &mut answer.counts;
    let is_left_out = counts.get(Field::Output).is_none();
    if answer.has_ended && counts.get(Field::Input).is_some() && is_left_out {
        counts.set(Field::Output, Some(0));
    }
}
