//! The request of a call: its dialect, its provider and its parameters.

mod detect;
mod hosts;
mod parameters;

pub(crate) use detect::{DetectedCall, detect};
pub(crate) use hosts::host_matches;
pub use parameters::RequestModel;
pub(crate) use parameters::RequestParams;
