//! What providers call things: one file for each way to say them.
//!
//! A dialect is a table of the paths at which its values are, and how its events
//! follow each other. To add one, write its file and name it in [`ALL`].

mod all;
mod anthropic;
mod audio;
mod bedrock;
mod bedrock_invoke;
mod cohere;
mod definition;
mod gemini;
mod images;
mod ollama;
mod openai;
mod path;
mod responses;
mod shared;
mod vendor;
mod vertex;

pub(crate) use all::DIALECTS;
pub(crate) use definition::{CallContext, Dialect};
pub(crate) use path::PathPattern;
pub(crate) use vendor::Vendor;
