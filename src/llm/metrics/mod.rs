//! The metric families of LLM calls, and how a finished call is recorded in them.

pub(crate) mod families;
pub(crate) mod handle;
pub(crate) mod model_name;
pub(crate) mod one_shot;
pub(crate) mod seen_models;
