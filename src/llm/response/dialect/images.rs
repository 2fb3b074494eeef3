//! Pictures of OpenAI, and of those who speak as it does.

use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::openai::ERROR;
use crate::llm::response::dialect::{Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/images/generations", "image_generation").special(),
        Path::new("/images/edits", "image_generation").special(),
        Path::new("/images/variations", "image_generation").special(),
    ],
    provider: "openai_compatible",
    answer: EVENT,
    conclude,
    ..PLAIN
};

const EVENT: &[Branch] = &[
    at("type", Field::Kind),
    // Of an event: a picture that is not finished, or the one that is.
    at("b64_json", Field::Content),
    within(
        "data",
        &[each(Field::Content).and(&[at("b64_json", Field::Content)])],
    ),
    within(
        "usage",
        &[
            at("input_tokens", Field::Input),
            at("output_tokens", Field::Output),
            within(
                "input_tokens_details",
                &[at("image_tokens", Field::ImageInput)],
            ),
            within(
                "output_tokens_details",
                &[at("image_tokens", Field::ImageOutput)],
            ),
            at("cost_in_usd_ticks", Field::CostTicks),
        ],
    ),
    at("error", Field::Error).and(ERROR),
];

fn conclude(answer: &mut Answer, event: &Event) {
    match event.kind.as_deref() {
        Some(kind) if kind.ends_with(".completed") => answer.has_ended = true,
        Some("error") => answer.fail(""),
        _ => {}
    }
}
