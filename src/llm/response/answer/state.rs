//! Everything that is known about a response so far.

use crate::llm::facts::{CallFacts, ErrorType, ReportedCost, ServiceTier, Units};
use crate::llm::response::answer::background::Background;
use crate::llm::response::answer::content::Content;
use crate::llm::response::answer::event::Event;
use crate::llm::response::answer::iterations::Iterations;
use crate::llm::response::answer::token_counts::TokenCounts;
use crate::llm::response::answer::tool_calls::ToolCalls;
use crate::llm::response::json::Value;

/// What was learnt from a response so far.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// What is known about the call. Its usage is completed at the end, from the counts below.
    pub(crate) facts: CallFacts,
    /// The token counts of all usage objects so far.
    pub(crate) counts: TokenCounts,
    /// The token counts of the event that is being read, if it has any.
    pub(super) report: Option<TokenCounts>,
    /// Whether a later usage object replaces all earlier ones.
    pub(super) is_usage_complete: bool,
    /// The last complete list of model runs, and the list that is being read.
    pub(super) iterations: Option<Box<Iterations>>,
    pub(super) open_iterations: Option<Box<Iterations>>,
    /// The token counts of other models that worked on the same call, such as advisors.
    pub(crate) other_models: Vec<(Box<str>, TokenCounts)>,
    /// The sum of the input tokens that the elements of a list report.
    pub(crate) listed_input: Option<u64>,
    /// The units that the usage reports.
    pub(crate) units: Units,
    /// The units that output items show.
    pub(super) item_units: Units,
    /// The hashes of the distinct web queries.
    pub(super) web_queries: Vec<u64>,
    pub(super) service_tier: Option<ServiceTier>,
    /// The tier that the response's `speed` stands for.
    pub(super) speed_tier: Option<ServiceTier>,
    /// Whether a token count was not a number, or too large.
    pub(crate) is_invalid: bool,
    pub(super) tool_calls: ToolCalls,
    pub(crate) content: Content,
    /// Whether the last event has come.
    pub(crate) has_ended: bool,
    /// The event that is being read.
    pub(crate) event: Event,
    pub(crate) background: Background,
    /// The operation that the response shows, if the path leaves it open.
    pub(crate) operation: Option<&'static str>,
}

impl Answer {
    pub(crate) fn new(is_usage_complete: bool) -> Self {
        Self {
            is_usage_complete,
            ..Self::default()
        }
    }

    pub(crate) fn model(&mut self, value: Value<'_>) {
        let model = value.non_empty();
        if model.is_some() && self.facts.response_model.as_deref() != model {
            self.facts.response_model = model.map(Into::into);
        }
    }

    /// Processes the token counts that the headers reported, as at the end of an event.
    pub(crate) fn end_headers(&mut self) {
        self.end_report(true);
    }

    /// Ends an event, and returns what is left to its dialect to interpret. The counts of an
    /// event that broke off are not complete.
    pub(crate) fn end_event(&mut self, is_whole: bool) -> Event {
        self.end_report(is_whole);
        if !self.event.tool_calls.is_empty() {
            self.add_event_tool_calls(0);
        }
        self.tool_calls.end_event();
        std::mem::take(&mut self.event)
    }

    /// Discards tokens and costs: some of the response was not read, and may have changed them.
    pub(crate) fn discard_usage(&mut self) {
        self.counts = TokenCounts::default();
        self.report = None;
        self.iterations = None;
        self.open_iterations = None;
        self.listed_input = None;
        self.units = Units::default();
        self.item_units = Units::default();
        self.web_queries.clear();
        self.facts.reported_cost = ReportedCost::default();
    }

    /// Discards tokens and costs, since the response is corrupt.
    pub(crate) fn invalidate(&mut self) {
        self.discard_usage();
        self.is_invalid = true;
        self.facts.error = Some(ErrorType::Decode);
    }

    // The operation, by a field that only its responses have.

    pub(crate) fn embeddings(&mut self, value: Value<'_>) {
        self.set_operation("embeddings", value);
    }

    pub(crate) fn generated_images(&mut self, value: Value<'_>) {
        self.set_operation("image_generation", value);
    }

    pub(crate) fn relevance_score(&mut self, value: Value<'_>) {
        self.set_operation("rerank", value);
    }

    fn set_operation(&mut self, operation: &'static str, value: Value<'_>) {
        if matches!(value, Value::Open | Value::Text(_) | Value::Number(_)) {
            self.operation = Some(operation);
        }
    }
}
