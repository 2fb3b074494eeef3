//! What providers call things: one file for each way to say them.
//!
//! A dialect is a table of the paths at which its values are, and how its events
//! follow each other. To add one, write its file and name it in [`ALL`].

mod anthropic;
mod audio;
mod bedrock;
mod bedrock_invoke;
mod cohere;
mod gemini;
mod images;
mod ollama;
mod openai;
mod path;
mod responses;
mod vendor;
mod vertex;

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::json::Branch;

pub(crate) use path::Path;
pub(crate) use vendor::Vendor;

/// One way to ask and to answer.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Dialect {
    /// The ends of the paths by which its requests are known, and what they ask for,
    /// as the OpenTelemetry GenAI conventions call it.
    pub(crate) paths: &'static [Path],
    /// The provider, where the host does not tell it.
    pub(crate) provider: &'static str,
    /// What is read of an answer, and of each event of a streamed one.
    pub(crate) answer: &'static [Branch],
    /// Whether an answer is streamed when the request does not say.
    pub(crate) streams: bool,
    /// Whether a stream has its usage only where the request asks for it.
    pub(crate) asks_for_usage: bool,
    /// Whether an answer may be something else than JSON, such as a text or sound.
    pub(crate) is_free_form: bool,
    /// What a whole event says, once it has been read.
    pub(crate) conclude: fn(&mut Answer, &Event),
    /// Whether each usage object of a stream stands for all earlier ones.
    pub(crate) is_usage_complete: bool,
    /// Brings the counts to the terms of [`Usage`](crate::llm::usage::tokens::Usage).
    pub(crate) settle: fn(&mut Answer, &Call<'_>),
}

/// What is known of a call beside its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) vendor: Vendor,
    /// The model that was requested.
    pub(crate) model: Option<&'a str>,
    /// The most output tokens that the request allows, in all answers together.
    pub(crate) max_tokens: Option<u64>,
}

/// What most dialects have in common: nothing is streamed unless it is asked for, and an
/// answer is JSON, whose end is that of its bytes.
const PLAIN: Dialect = Dialect {
    paths: &[],
    provider: "",
    answer: &[],
    streams: false,
    asks_for_usage: false,
    is_free_form: false,
    conclude: |_, _| {},
    is_usage_complete: true,
    settle: |_, _| {},
};

/// The dialects that are known. No path of one hides another's.
pub(crate) const ALL: [&Dialect; 12] = [
    &openai::DIALECT,
    &responses::DIALECT,
    &images::DIALECT,
    &audio::DIALECT,
    &anthropic::DIALECT,
    &gemini::DIALECT,
    &vertex::PREDICT,
    &cohere::DIALECT,
    &cohere::RERANK,
    &bedrock::CONVERSE,
    &bedrock::INVOKE,
    &ollama::DIALECT,
];
