//! The metric families of LLM calls, and the recording of calls.

mod bounds;
mod call_cost;
mod counted_responses;
mod definitions;
mod families;
mod llm_metrics;
mod model_name;
mod rate_limits;
mod record_call;
mod series;

pub(crate) use llm_metrics::LlmMetrics;
