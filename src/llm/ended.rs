//! What is recorded of a call that has ended.

use std::time::Duration;

use crate::llm::call::Proof;
use crate::llm::cost::Charge;
use crate::llm::finish::Finishes;
use crate::llm::outcome::Outcome;
use crate::llm::times::Times;
use crate::llm::usage::Usage;

/// A call that has ended, as it is recorded.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) provider: &'a str,
    pub(super) model: Option<&'a str>,
    pub(super) answered: Option<&'a str>,
    pub(super) route: Option<&'a str>,
    pub(super) operation: &'a str,
    /// Whether the model is known to have series.
    pub(super) is_named: bool,
    pub(super) proof: Proof,
    pub(super) outcome: Outcome,
    pub(super) duration: Option<Duration>,
    pub(super) until_first: Option<Duration>,
    pub(super) per_token: Option<f64>,
    pub(super) usage: Usage,
    pub(super) other_models: &'a [(Box<str>, Usage)],
    pub(super) tokens: Option<u64>,
    pub(super) missing: Option<&'static str>,
    pub(super) finishes: &'a Finishes,
    pub(super) tool_calls: u64,
    pub(super) charge: Charge,
    pub(super) times: Times,
    /// Whether there was an answer.
    pub(super) has_begun: bool,
    /// Whether what is known of it may be less than all.
    pub(super) is_partial: bool,
}
