//! What providers call things: one file for each way to say them.
//!
//! A dialect is a table of the paths at which its values are, and how its events
//! follow each other. To add one, write its file and name it in [`ALL`].

mod anthropic;
mod audio;
mod bedrock;
mod cohere;
mod gemini;
mod images;
mod invoked;
mod ollama;
mod openai;
mod path;
mod responses;
mod vertex;

use crate::llm::answer::{Answer, Event};
use crate::llm::scan::Branch;

pub(super) use path::Path;

/// One way to ask and to answer.
#[derive(Debug)]
pub(super) struct Dialect {
    /// The ends of the paths by which its requests are known, and what they ask for,
    /// as the OpenTelemetry GenAI conventions call it.
    pub(super) paths: &'static [Path],
    /// The provider, where the host does not tell it.
    pub(super) provider: &'static str,
    /// What is read of an answer, and of each event of a streamed one.
    pub(super) answer: &'static [Branch],
    /// Whether an answer is streamed when the request does not say.
    pub(super) streams: bool,
    /// Whether a stream has its usage only where the request asks for it.
    pub(super) asks_for_usage: bool,
    /// Whether an answer may be something else than JSON, such as a text or sound.
    pub(super) is_free_form: bool,
    /// What a whole event says, once it has been read.
    pub(super) conclude: fn(&mut Answer, &Event),
    /// Brings the usage to the terms of [`Usage`](crate::llm::usage::Usage).
    pub(super) settle: fn(&mut Answer),
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
    settle: |_| {},
};

/// The dialects that are known. No path of one hides another's.
pub(super) const ALL: [&Dialect; 12] = [
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
