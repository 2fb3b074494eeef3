//! What is recorded of a call that has ended.

use std::time::Duration;

use crate::llm::facts::{FinishReasons, Outcome, ReportedCost, ServerTimes, Usage};

/// A call that has ended, as it is recorded.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) provider: &'a str,
    pub(crate) model: Option<&'a str>,
    pub(crate) answered: Option<&'a str>,
    pub(crate) route: Option<&'a str>,
    pub(crate) operation: &'a str,
    /// Whether the model is known to have series.
    pub(crate) is_named: bool,
    pub(crate) proof: Proof,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Option<Duration>,
    pub(crate) until_first: Option<Duration>,
    pub(crate) per_token: Option<f64>,
    pub(crate) usage: Usage,
    pub(crate) other_models: &'a [(Box<str>, Usage)],
    pub(crate) tokens: Option<u64>,
    pub(crate) missing: Option<&'static str>,
    pub(crate) finishes: &'a FinishReasons,
    pub(crate) tool_calls: u64,
    pub(crate) charge: ReportedCost,
    pub(crate) times: ServerTimes,
    /// Whether there was an answer.
    pub(crate) has_begun: bool,
    /// Whether what is known of it may be less than all.
    pub(crate) is_partial: bool,
}

/// What shows that there is a model of the name that a call has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Proof {
    /// Nothing yet: the name may be misspelled.
    None,
    /// The request names it, and was accepted.
    Request,
    /// Only the answer names it.
    Answer,
}
