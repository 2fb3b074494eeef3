//! Tables that several dialects share.

use crate::llm::response::answer::Answer;
use crate::llm::response::json::{Branch, field};

/// A cost in parts: Perplexity and Charm.
pub(crate) const COSTS: &[Branch<Answer>] = &[
    field("total_cost", Answer::cost),
    field("usd", Answer::cost),
    field("currency", Answer::currency),
];

/// The gateway of Pydantic AI.
pub(crate) const GATEWAY: &[Branch<Answer>] = &[field("cost_estimate", Answer::cost)];

/// GitHub Copilot: billionths of an AI credit.
pub(crate) const COPILOT: &[Branch<Answer>] = &[field("total_nano_aiu", Answer::cost_nano_credits)];

/// Anthropic and OpenRouter.
pub(crate) const SERVER_TOOLS: &[Branch<Answer>] =
    &[field("web_search_requests", Answer::web_searches)];

/// xAI.
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

/// The cache writes, by their time to live.
pub(crate) const CACHE_CREATION: &[Branch<Answer>] =
    &[field("ephemeral_1h_input_tokens", Answer::cache_write_1h)];
