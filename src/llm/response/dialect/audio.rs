//! Sound to text and text to sound, of OpenAI and of those who speak as it does.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::openai::normalize_usage;
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/audio/transcriptions", "transcription").llm_only(),
        PathPattern::new("/audio/translations", "translation").llm_only(),
        PathPattern::new("/audio/speech", "speech").llm_only(),
    ],
    provider: "openai_compatible",
    branches: EVENT,
    // Subtitles, or sound itself.
    is_free_form: true,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

const EVENT: &[Branch] = &[
    field("type", Field::Kind),
    field("model", Field::Model),
    // A part of a text, whole or not, and of sound.
    field("delta", Field::Content),
    field("text", Field::Content),
    field("audio", Field::Content),
    // Tokens of newer models, and seconds of older ones.
    object(
        "usage",
        &[
            field("input_tokens", Field::Input),
            field("output_tokens", Field::Output),
            object(
                "input_token_details",
                &[field("audio_tokens", Field::AudioInput)],
            ),
            field("seconds", Field::Billed(Unit::AudioSeconds)),
            // Mistral's, which are both.
            field("prompt_tokens", Field::Input),
            field("completion_tokens", Field::Output),
            field("total_tokens", Field::Total),
            field("prompt_audio_seconds", Field::Billed(Unit::AudioSeconds)),
            object(
                "prompt_tokens_details",
                &[
                    field("cached_tokens", Field::CacheRead),
                    field("audio_tokens", Field::AudioInput),
                ],
            ),
        ],
    ),
    field("error", Field::Error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    match event.kind.as_deref() {
        // The last is Mistral's.
        Some("transcript.text.done" | "speech.audio.done" | "transcription.done") => {
            answer.has_ended = true;
        }
        Some("error") => answer.set_error(""),
        _ => {}
    }
}
