//! An incremental JSON scanner, which keeps none of its input.
//!
//! `serde_json` parses a whole text, or reads from an [`io::Read`](std::io::Read). Here the bytes
//! of a response are pushed while they pass through. `benches/README.md`, "LLM calls", compares
//! the times.
//!
//! A table of [`Branch`]es lists the values to read and the functions that take them. The
//! [`Scanner`] follows these branches and only counts brackets in everything else. Each byte
//! is read once, and memory use does not depend on the size or depth of the text. Invalid JSON
//! is read up to the first error.

mod branch;
mod scanner;
mod skip;
#[cfg(test)]
mod tests;
mod text_buffer;
mod value;

pub(crate) use branch::{Branch, each, each_text, elements, field, nested, string_chunks, text};
#[cfg(test)]
pub(crate) use scanner::MAX_DEPTH;
pub(crate) use scanner::Scanner;
pub(crate) use text_buffer::MAX_TEXT_LEN;
pub(crate) use value::Value;
