//! Pictures of OpenAI, and of those who speak as it does.

use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/images/generations", "image_generation").llm_only(),
        PathPattern::new("/images/edits", "image_generation").llm_only(),
        PathPattern::new("/images/variations", "image_generation").llm_only(),
    ],
    provider: "openai_compatible",
    branches: EVENT,
    on_event,
    ..Dialect::DEFAULT
};

const EVENT: &[Branch] = &[
    field("type", Field::Kind),
    // Of an event: a picture that is not finished, or the one that is.
    field("b64_json", Field::Content),
    object(
        "data",
        &[each(Field::Content).and(&[field("b64_json", Field::Content)])],
    ),
    object(
        "usage",
        &[
            field("input_tokens", Field::Input),
            field("output_tokens", Field::Output),
            object(
                "input_tokens_details",
                &[field("image_tokens", Field::ImageInput)],
            ),
            object(
                "output_tokens_details",
                &[field("image_tokens", Field::ImageOutput)],
            ),
            field("cost_in_usd_ticks", Field::CostTicks),
        ],
    ),
    field("error", Field::Error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    match event.kind.as_deref() {
        Some(kind) if kind.ends_with(".completed") => answer.has_ended = true,
        Some("error") => answer.set_error(""),
        _ => {}
    }
}
