//! The Images API of OpenAI, and of compatible servers.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::dialect::shared::ERROR;
use crate::llm::response::dialect::{Dialect, PathPattern};
use crate::llm::response::json::{Branch, elements, field, nested, text};

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

const EVENT: &[Branch<Answer>] = &[
    field("type", Answer::event_type),
    // An event, with a partial or the final image.
    text("b64_json", Answer::text),
    nested("data", &[elements(&[text("b64_json", Answer::text)])]),
    nested(
        "usage",
        &[
            field("input_tokens", Answer::input),
            field("output_tokens", Answer::output),
            nested(
                "input_tokens_details",
                &[field("image_tokens", Answer::image_input)],
            ),
            nested(
                "output_tokens_details",
                &[field("image_tokens", Answer::image_output)],
            ),
            field("cost_in_usd_ticks", Answer::cost_ticks),
        ],
    ),
    field("error", Answer::error).and(ERROR),
];

fn on_event(answer: &mut Answer, event: &Event) {
    match event.event_type.as_deref() {
        Some(event_type) if event_type.ends_with(".completed") => answer.has_ended = true,
        Some("error") => answer.set_error(""),
        _ => {}
    }
}
