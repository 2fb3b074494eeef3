//! The data that a response or the user provides about a call.

use crate::llm::facts::{ErrorType, FinishReasons, ReportedCost, ServerTimes, Usage};

/// The data about a call. It is filled while the response is read, or by the user, and recorded
/// when the call ends.
#[derive(Debug, Default)]
pub(crate) struct CallFacts {
    /// The model that the response names. Its price takes precedence over the requested model's.
    pub(crate) response_model: Option<Box<str>>,
    pub(crate) usage: Usage,
    /// The usage of other models in the same call, such as advisors.
    pub(crate) other_models: Vec<(Box<str>, Usage)>,
    /// Tokens that are not divided into input and output.
    pub(crate) undirected_tokens: Option<u64>,
    /// Output tokens that were generated before the first visible token.
    pub(crate) hidden_tokens: u64,
    /// The reason why the usage is unknown, if it is not the outcome.
    pub(crate) usage_unknown: Option<&'static str>,
    /// Whether two token counts contradict each other.
    pub(crate) is_inconsistent: bool,
    /// Whether the usage was reported in a stream that did not reach its end.
    pub(crate) is_partial: bool,
    pub(crate) reported_cost: ReportedCost,
    pub(crate) server_times: ServerTimes,
    pub(crate) finish_reasons: FinishReasons,
    pub(crate) tool_calls: u64,
    /// The error that the response reports.
    pub(crate) error: Option<ErrorType>,
}

impl CallFacts {
    /// Discards usage and cost, because the call is counted again with them later.
    pub(crate) fn discard_usage(&mut self) {
        self.usage = Usage::default();
        self.other_models.clear();
        self.reported_cost = ReportedCost::default();
        self.finish_reasons = FinishReasons::default();
        self.tool_calls = 0;
        self.is_partial = false;
    }

    /// Returns true if the token counts, or the units that replace them, are known.
    pub(crate) fn has_usage(&self, has_output: bool) -> bool {
        let has_tokens = self.usage.input.is_some() && (self.usage.output.is_some() || !has_output);
        self.undirected_tokens.is_some() || has_tokens || self.usage.is_billed_by_units()
    }

    /// Returns true if no two token counts contradict each other.
    pub(crate) fn is_consistent(&self) -> bool {
        !self.is_inconsistent && self.usage.is_consistent()
    }
}
