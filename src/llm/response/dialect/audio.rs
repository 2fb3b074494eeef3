//! Sound to text and text to sound, of OpenAI and of those who speak as it does.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::openai::{ERROR, settle};
use crate::llm::response::dialect::{Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/audio/transcriptions", "transcription").special(),
        Path::new("/audio/translations", "translation").special(),
        Path::new("/audio/speech", "speech").special(),
    ],
    provider: "openai_compatible",
    answer: EVENT,
    // Subtitles, or sound itself.
    is_free_form: true,
    conclude,
    settle,
    ..PLAIN
};

const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    at("model", Field::Model),
    // A part of a text, whole or not, and of sound.
    at("delta", Field::Content),
    at("text", Field::Content),
    at("audio", Field::Content),
    // Tokens of newer models, and seconds of older ones.
    within(
        "usage",
        &[
            at("input_tokens", Field::Input),
            at("output_tokens", Field::Output),
            within(
                "input_token_details",
                &[at("audio_tokens", Field::AudioInput)],
            ),
            at("seconds", Field::Billed(Unit::AudioSeconds)),
            // Mistral's, which are both.
            at("prompt_tokens", Field::Input),
            at("completion_tokens", Field::Output),
            at("total_tokens", Field::Total),
            at("prompt_audio_seconds", Field::Billed(Unit::AudioSeconds)),
            within(
                "prompt_tokens_details",
                &[
                    at("cached_tokens", Field::CacheRead),
                    at("audio_tokens", Field::AudioInput),
                ],
            ),
        ],
    ),
    at("error", Field::Error).and(ERROR),
];

fn conclude(answer: &mut Answer, event: &Event) {
    match event.kind.as_deref() {
        // The last is Mistral's.
        Some("transcript.text.done" | "speech.audio.done" | "transcription.done") => {
            answer.has_ended = true;
        }
        Some("error") => answer.fail(""),
        _ => {}
    }
}
