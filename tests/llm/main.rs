//! Tests of the layer around clients of LLMs: what it learns from the bytes of answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod at_once;
mod cases;
mod cuts;
mod recorded;
mod shapes;
mod support;
