//! The input of recording: what is known about a call that has ended.

use std::time::Duration;

use crate::llm::facts::{CallFacts, CallTarget, Outcome};

/// A call that has ended: its labels, its data and its outcome.
#[derive(Debug)]
pub(crate) struct EndedCall<'a> {
    pub(crate) target: &'a CallTarget,
    pub(crate) facts: &'a CallFacts,
    pub(crate) outcome: Outcome,
    /// Whether the provider accepted the call.
    pub(crate) is_accepted: bool,
    /// The reason for missing token counts, if any.
    pub(crate) missing_usage: Option<&'static str>,
    pub(crate) duration: Option<Duration>,
    pub(crate) time_to_first_token: Option<Duration>,
    /// The mean time of the output tokens after the first, in seconds.
    pub(crate) time_per_output_token: Option<f64>,
}
