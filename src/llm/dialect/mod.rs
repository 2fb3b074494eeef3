//! What providers call things: one file for each way to say them.
//!
//! A dialect is a table of the paths at which its values are, and how its events
//! follow each other. To add one, write its file and name it in [`ALL`].

mod anthropic;
mod ollama;
mod openai;
mod responses;

use crate::llm::answer::{Answer, Event};
use crate::llm::scan::Branch;

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
    /// What a whole event says, once it has been read.
    pub(super) conclude: fn(&mut Answer, &Event),
    /// Brings the usage to the terms of [`Usage`](crate::llm::usage::Usage).
    pub(super) settle: fn(&mut Answer),
}

/// The end of a path.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) end: &'static str,
    pub(super) operation: &'static str,
    /// Whether nothing but a model has such a path. Of any other, the host has to be a
    /// provider's, or the request has to name a model.
    pub(super) is_special: bool,
}

/// The dialects that are known. No path of one is the end of another's.
pub(super) const ALL: [&Dialect; 4] = [
    &openai::DIALECT,
    &responses::DIALECT,
    &anthropic::DIALECT,
    &ollama::DIALECT,
];
