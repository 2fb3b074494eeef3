//! The metric families of LLM calls, and how a call is recorded in them.

mod call_cost;
mod counted_responses;
mod families;
mod llm_metrics;
mod model_name;

pub use llm_metrics::LlmMetrics;
