//! Limits and settings of the LLM layer.

mod manual_calls;
mod model_values;
mod rate_limits;
mod settings;
