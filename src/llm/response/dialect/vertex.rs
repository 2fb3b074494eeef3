//! Models of Vertex AI that are asked to predict: embeddings and pictures.

use crate::llm::response::answer::{Answer, Field};
use crate::llm::response::dialect::openai::ERROR;
use crate::llm::response::dialect::path::by_name;
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const PREDICT: Dialect = Dialect {
    paths: &[Path::new(":predict", "embeddings")
        .special()
        .model_after("/publishers/google/models/")
        .of_model(of_model)],
    provider: "gcp.vertex_ai",
    answer: ANSWER,
    settle,
    ..PLAIN
};

/// A prediction for each text, of which each tells its own.
const ANSWER: &[Branch] = &[
    at("predictions", Field::List).and(&[each(Field::Content).and(&[within(
        "embeddings",
        &[within(
            "statistics",
            &[at("token_count", Field::ListedInput)],
        )],
    )])]),
    at("error", Field::Error).and(ERROR),
];

/// Any model can be asked to predict, be it of language or not.
fn of_model(model: &str) -> Option<&'static str> {
    let operation = by_name(model);
    (operation != "chat").then_some(operation)
}

/// Adds up the counts of all predictions. If some are missing, there is no sum.
fn settle(answer: &mut Answer, _: &Call<'_>) {
    if answer.has_ended {
        answer.counts.set(Field::Input, answer.listed_input);
    }
}
