//! LLM calls: the guard that records a call, and the measurement of a call over HTTP.

mod client_error;
mod http_call;
mod llm_call;
mod record_llm_request;
mod response_facts;
mod response_format;

pub(crate) use http_call::HttpCall;
pub use llm_call::LlmCall;
