//! One LLM call: the guard that records it, and what happens to it over HTTP.

pub(crate) mod failure;
pub(crate) mod finished;
pub(crate) mod guard;
pub(crate) mod http_call;
