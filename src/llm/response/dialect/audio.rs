//! The audio APIs of OpenAI, and of compatible servers: transcription, translation and speech.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::openai::normalize_usage;
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/audio/transcriptions", "transcription").llm_only(),
        PathPattern::new("/audio/translations", "translation").llm_only(),
        PathPattern::new("/audio/speech", "speech").llm_only(),
    ],
    provider: "openai_compatible",
    branches: EVENT,
    // Subtitles or audio.
    is_free_form: true,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    field("model", Answer::model),
    // A part of a text, a whole text, or audio.
    text("delta", Answer::text),
    text("text", Answer::text),
    text("audio", Answer::text),
    // Newer models report tokens, older ones seconds.
    nested(
        "usage",
        &[
            field("input_tokens", Answer::input),
            field("output_tokens", Answer::output),
            nested(
                "input_token_details",
                &[field("audio_tokens", Answer::audio_input)],
            ),
            field("seconds", Answer::audio_seconds),
            // Mistral reports both.
            field("prompt_tokens", Answer::input),
            field("completion_tokens", Answer::output),
            field("total_tokens", Answer::total),
            field("prompt_audio_seconds", Answer::audio_seconds),
            nested(
                "prompt_tokens_details",
                &[
                    field("cached_tokens", Answer::cache_read),
                    field("audio_tokens", Answer::audio_input),
                ],
            ),
        ],
    ),
    field("error", Answer::error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    match event.event_type.as_deref() {
        // The last one is Mistral.
        Some("transcript.text.done" | "speech.audio.done" | "transcription.done") => {
            answer.has_ended = true;
        }
        Some("error") => answer.set_error(""),
        _ => {}
    }
}
