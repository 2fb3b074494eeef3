//! What a request says: its dialect, its provider and its parameters.

pub(crate) mod detect;
pub(crate) mod parameters;
pub(crate) mod provider;
