//! The LLM layer: what it reads from the bytes of responses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls_without_response;
mod cases;
mod concurrency;
mod cut_off_responses;
mod recorded;
mod response_formats;
mod support;
