//! What is bounded, and what users choose.

mod manual_calls;
mod model_values;
mod rate_limits;
mod settings;
