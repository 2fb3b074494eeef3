//! The APIs of LLM providers, one file per dialect.
//!
//! A dialect has the paths of its requests, a table of the values to read from its responses,
//! and functions that interpret its events and token counts. To add a dialect, add a file and
//! list it in [`DIALECTS`].

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
