//! The request of a call: its dialect, its provider and its parameters.

mod detect;
mod hosts;
mod parameters;

pub(crate) use detect::{Detected, detect};
pub(crate) use parameters::Asked;
pub use parameters::Model;
