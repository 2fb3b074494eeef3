//! Parts of responses that several dialects have in common.

use crate::llm::response::answer::Answer;
use crate::llm::response::json::{Branch, field};

/// A cost in parts: Perplexity's, and Charm's.
pub(crate) const COSTS: &[Branch<Answer>] = &[
    field("total_cost", Answer::cost),
    field("usd", Answer::cost),
    field("currency", Answer::currency),
];

/// Pydantic's gateway's.
pub(crate) const GATEWAY: &[Branch<Answer>] = &[field("cost_estimate", Answer::cost)];

/// GitHub Copilot's, in billionths of an AI credit.
pub(crate) const COPILOT: &[Branch<Answer>] = &[field("total_nano_aiu", Answer::cost_nano_credits)];

/// Anthropic's, and OpenRouter's.
pub(crate) const SERVER_TOOLS: &[Branch<Answer>] =
    &[field("web_search_requests", Answer::web_searches)];

pub(crate) const XAI_TOOLS: &[Branch<Answer>] = &[
    field("web_search_calls", Answer::web_searches),
    field("x_search_calls", Answer::x_searches),
    field("file_search_calls", Answer::file_searches),
    field("code_interpreter_calls", Answer::code_executions),
    field("image_generation_calls", Answer::image_generations),
];

pub(crate) const ERROR: &[Branch<Answer>] = &[
    field("type", Answer::error_code),
    field("code", Answer::error_code),
];

/// The cache writes, by how long they are kept.
pub(crate) const CACHE_CREATION: &[Branch<Answer>] =
    &[field("ephemeral_1h_input_tokens", Answer::cache_write_1h)];
