//! Parts of responses that several dialects have in common.

use crate::llm::facts::Unit;
use crate::llm::response::answer::Field;
use crate::llm::response::json::{Branch, field};

/// A cost in parts: Perplexity's, and Charm's.
pub(crate) const COSTS: &[Branch] = &[
    field("total_cost", Field::Cost),
    field("usd", Field::Cost),
    field("currency", Field::Currency),
];

/// Pydantic's gateway's.
pub(crate) const GATEWAY: &[Branch] = &[field("cost_estimate", Field::Cost)];

/// GitHub Copilot's, in billionths of an AI credit.
pub(crate) const COPILOT: &[Branch] = &[field("total_nano_aiu", Field::CostNanoCredits)];

/// Anthropic's, and OpenRouter's.
pub(crate) const SERVER_TOOLS: &[Branch] = &[field(
    "web_search_requests",
    Field::Billed(Unit::WebSearches),
)];

pub(crate) const XAI_TOOLS: &[Branch] = &[
    field("web_search_calls", Field::Billed(Unit::WebSearches)),
    field("x_search_calls", Field::Billed(Unit::XSearches)),
    field("file_search_calls", Field::Billed(Unit::FileSearches)),
    field(
        "code_interpreter_calls",
        Field::Billed(Unit::CodeExecutions),
    ),
    field(
        "image_generation_calls",
        Field::Billed(Unit::ImageGenerations),
    ),
];

pub(crate) const ERROR: &[Branch] = &[
    field("type", Field::ErrorType),
    field("code", Field::ErrorCode),
];

/// The cache writes, by how long they are kept.
pub(crate) const CACHE_CREATION: &[Branch] =
    &[field("ephemeral_1h_input_tokens", Field::CacheWrite1h)];
