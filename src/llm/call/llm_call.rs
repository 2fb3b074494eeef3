//! The guard of one call, which is recorded exactly once: when it is dropped.

use std::fmt;
use std::time::{Duration, Instant};

use crate::context::RequestRoute;
use crate::llm::facts::{
    Ended, ErrorType, FinishReasons, MAX_TOKENS, Money, Outcome, Phase, Proof, RateLimit,
    ReportedCost, ServerTimes, Usage,
};
use crate::llm::metrics::LlmMetrics;
use crate::metric::{Histogram, InFlight};

/// One call of an LLM, from its start to the end of the answer.
///
/// Dropped without being [finished](Self::finish), it was cancelled. See
/// [`LlmMetrics`] for an example.
#[must_use = "a call that is dropped was cancelled"]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct LlmCall {
    metrics: LlmMetrics,
    /// None for the fetch of a stored answer.
    in_flight: Option<InFlight>,
    pub(crate) provider: Box<str>,
    pub(crate) operation: Box<str>,
    pub(crate) model: Option<Box<str>>,
    /// The model that answered, by whose price it goes.
    pub(crate) answered: Option<Box<str>>,
    /// Whether the model had series of its own from the start.
    is_named: bool,
    /// What shows that there is such a model.
    pub(crate) proof: Proof,
    /// The route of the request that makes the call, if that is to be told.
    route: RequestRoute,
    started: Instant,
    first: Option<Instant>,
    chunks: Option<Chunks>,
    pub(crate) usage: Usage,
    /// The usage of other models in the same call, such as advisors.
    pub(crate) other_models: Vec<(Box<str>, Usage)>,
    /// Whether two counts contradict each other.
    pub(crate) is_inconsistent: bool,
    /// Tokens of which nobody says whether they went in or out.
    pub(crate) tokens: Option<u64>,
    /// Those of the output that came before the first, and were not shown.
    pub(crate) hidden_tokens: u64,
    /// Whether the first token and the last were in one frame, so that the time between
    /// them says nothing.
    pub(crate) is_single_frame: bool,
    pub(crate) finish_reasons: FinishReasons,
    pub(crate) tool_calls: u64,
    pub(crate) reported_cost: ReportedCost,
    pub(crate) server_times: ServerTimes,
    pub(crate) progress: Progress,
    /// Why the answer's tokens cannot be known, if so.
    pub(crate) usage_unknown: Option<&'static str>,
    /// Whether what is known of the usage may have grown until the end, which did not come.
    pub(crate) is_partial: bool,
    pub(crate) outcome: Outcome,
    /// How long it took, if someone else has measured that.
    pub(crate) took: Option<Duration>,
    /// Whether it is not to be counted.
    is_discarded: bool,
}

/// Does not print the model, nor the provider and the operation: they may come from a client.
impl fmt::Debug for LlmCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmCall")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Progress {
    /// Nobody knows whether the provider is at work.
    Sent,
    /// It took nothing.
    Refused,
    /// There is an answer.
    Answered,
}

/// The parts of a streamed answer, where each is timed.
struct Chunks {
    seconds: Histogram,
    last: Instant,
}

impl LlmCall {
    pub(crate) fn start(
        metrics: &LlmMetrics,
        operation: &str,
        provider: &str,
        model: Option<Box<str>>,
    ) -> Self {
        let (in_flight, is_named) = metrics.enter(provider, model.as_deref(), operation);
        let mut call = Self::new(metrics, Some(in_flight), operation, provider, model);
        call.is_named = is_named && call.model.is_some();
        call
    }

    /// Begins the fetch of a stored answer, which is no call that is under way.
    pub(crate) fn stored(metrics: &LlmMetrics, operation: &str, provider: &str) -> Self {
        Self::new(metrics, None, operation, provider, None)
    }

    fn new(
        metrics: &LlmMetrics,
        in_flight: Option<InFlight>,
        operation: &str,
        provider: &str,
        model: Option<Box<str>>,
    ) -> Self {
        Self {
            in_flight,
            started: metrics.settings().clock.now(),
            metrics: metrics.clone(),
            provider: provider.into(),
            operation: operation.into(),
            model,
            answered: None,
            is_named: false,
            proof: Proof::None,
            route: metrics.route(),
            first: None,
            chunks: None,
            usage: Usage::default(),
            other_models: Vec::new(),
            is_inconsistent: false,
            tokens: None,
            hidden_tokens: 0,
            is_single_frame: false,
            finish_reasons: FinishReasons::default(),
            tool_calls: 0,
            reported_cost: ReportedCost::default(),
            server_times: ServerTimes::default(),
            progress: Progress::Sent,
            usage_unknown: None,
            is_partial: false,
            outcome: Outcome::Cancelled,
            took: None,
            is_discarded: false,
        }
    }

    /// Notes that the first token of a streamed answer has come; only the first time
    /// counts.
    pub fn first_token(&mut self) {
        if self.first.is_none() {
            self.first = Some(self.metrics.settings().clock.now());
            self.progress = Progress::Answered;
            self.prove();
        }
    }

    /// Notes what is known of the tokens, which may be said again: the last counts. A count
    /// above 2^40 is ignored, and the call is counted in `llm_usage_missing_total` with the
    /// reason `invalid`.
    pub fn set_usage(&mut self, usage: Usage) {
        let (usage, is_invalid) = usage.discard_invalid();
        self.usage = usage;
        self.usage_unknown = is_invalid.then_some("invalid");
        self.progress = Progress::Answered;
        self.prove();
    }

    /// Notes what the provider says that the call costs, in US dollars, for which no price
    /// is asked then. A number that is negative or none is ignored.
    pub fn set_cost(&mut self, dollars: f64) {
        if let Some(cost) = Money::from_dollars(dollars) {
            self.reported_cost.amount = Some(cost);
        }
    }

    /// Notes how long the provider says that a part of its work took.
    pub fn set_server_time(&mut self, phase: Phase, took: Duration) {
        self.server_times.set(phase, took);
    }

    /// Ends the call.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
        if matches!(outcome, Outcome::Success | Outcome::Pending) {
            self.prove();
        }
    }

    /// Notes tokens that are not known to be input or output.
    pub(crate) fn set_tokens(&mut self, tokens: u64) {
        if tokens > MAX_TOKENS {
            self.usage_unknown = Some("invalid");
            self.progress = Progress::Answered;
        } else {
            self.tokens = Some(tokens);
        }
        if tokens > 0 {
            self.prove();
        }
    }

    /// Notes that the provider accepted the call, so that there is a model of its name.
    pub(crate) fn prove(&mut self) {
        if self.proof == Proof::None {
            self.proof = Proof::Request;
            if let Some(model) = self.model.as_deref().filter(|_| !self.is_named) {
                self.metrics.prove(&self.provider, model, &self.operation);
            }
        }
    }

    /// Records the rate limits that the head of the answer reports.
    pub(crate) fn limits(&self, limits: impl Iterator<Item = RateLimit>) {
        let model = self.model.as_deref();
        self.metrics
            .limits(&self.provider, model, &self.operation, self.proof, limits);
    }

    /// Forgets the usage, which is counted when the answer is fetched.
    pub(crate) fn forget_usage(&mut self) {
        self.usage = Usage::default();
        self.other_models.clear();
        self.reported_cost = ReportedCost::default();
        self.finish_reasons = FinishReasons::default();
        self.tool_calls = 0;
        self.is_partial = false;
    }

    /// Corrects the operation, which the request left open.
    pub(crate) fn set_operation(&mut self, operation: &str) {
        self.operation = operation.into();
        self.is_named = false;
    }

    /// Marks the call so that nothing of it is recorded.
    pub(crate) fn discard(&mut self) {
        self.is_discarded = true;
    }

    /// Notes that so many parts of a streamed answer have come at once, where each is timed.
    pub(crate) fn chunks(&mut self, parts: u64) {
        if parts == 0 || !self.metrics.times_chunks() {
            return;
        }
        let now = self.metrics.settings().clock.now();
        match &mut self.chunks {
            Some(chunks) => {
                let took = now.saturating_duration_since(chunks.last);
                chunks.seconds.observe_duration(took);
                chunks.last = now;
            }
            none => {
                let model = self.model.as_deref();
                let seconds =
                    self.metrics
                        .per_chunk(&self.provider, model, &self.operation, self.proof);
                *none = seconds.map(|seconds| Chunks { seconds, last: now });
            }
        }
        if let Some(chunks) = &self.chunks {
            for _ in 1..parts {
                chunks.seconds.observe(0.0);
            }
        }
    }

    /// Returns true when the first token has come.
    pub(crate) fn has_first(&self) -> bool {
        self.first.is_some()
    }

    pub(crate) fn metrics(&self) -> &LlmMetrics {
        &self.metrics
    }

    /// Returns why the tokens are not counted, or not all of them.
    fn missing(&self) -> Option<&'static str> {
        let is_known = self.tokens.is_some()
            || self.usage.input.is_some()
                && (self.usage.output.is_some() || !has_output(&self.operation))
            || self.usage.is_billed_by_units();
        let by_outcome = match self.outcome {
            _ if self.has_begun() && self.usage_unknown == Some("invalid") => "invalid",
            Outcome::Pending => return None,
            _ if is_known && !self.is_partial => {
                let is_consistent = !self.is_inconsistent && self.usage.is_consistent();
                return (!is_consistent).then_some("inconsistent");
            }
            // What failed before an answer took no tokens, unless it was at work.
            Outcome::Error(error) if !self.may_have_begun(error) => return None,
            Outcome::Success => "not_reported",
            Outcome::Error(_) => "error",
            Outcome::Truncated => "truncated",
            Outcome::Cancelled => "cancelled",
        };
        Some(self.usage_unknown.unwrap_or(by_outcome))
    }

    fn has_begun(&self) -> bool {
        self.progress == Progress::Answered
    }

    /// Whether the provider answers, or may have done so, though nobody has seen it.
    fn may_have_begun(&self, error: ErrorType) -> bool {
        match self.progress {
            Progress::Sent => matches!(error, ErrorType::Timeout | ErrorType::Transport),
            Progress::Refused => false,
            Progress::Answered => true,
        }
    }

    /// Returns the seconds that each token took after the first, of those that came one
    /// after the other.
    fn per_token(&self, since_first: Option<Duration>) -> Option<f64> {
        let is_told = self.outcome == Outcome::Success && !self.is_single_frame;
        let seconds = since_first.filter(|_| is_told)?.as_secs_f64();
        let tokens = self.usage.output?.checked_sub(self.hidden_tokens)?;
        let after_first = tokens.checked_sub(1).filter(|tokens| *tokens > 0)?;
        Some(seconds / after_first as f64)
    }
}

impl Drop for LlmCall {
    fn drop(&mut self) {
        if !self.is_discarded {
            self.record();
        }
        if let Some(in_flight) = &self.in_flight {
            in_flight.finish();
        }
    }
}

impl LlmCall {
    fn record(&self) {
        let clock = &self.metrics.settings().clock;
        // How long the fetch of a stored answer takes says nothing of the call.
        let measured = || self.in_flight.as_ref().map(|_| clock.since(self.started));
        let since_first = self.first.map(|first| clock.since(first));
        let first = self.first;
        self.metrics.record(&Ended {
            provider: &self.provider,
            model: self.model.as_deref(),
            answered: self.answered.as_deref(),
            route: self.route.name(),
            operation: &self.operation,
            is_named: self.is_named,
            proof: self.proof,
            outcome: self.outcome,
            duration: self.took.or_else(measured),
            until_first: first.map(|first| first.saturating_duration_since(self.started)),
            per_token: self.per_token(since_first),
            usage: self.usage,
            other_models: &self.other_models,
            tokens: self.tokens,
            missing: self.missing(),
            finishes: &self.finish_reasons,
            tool_calls: self.tool_calls,
            charge: self.reported_cost,
            times: self.server_times,
            has_begun: self.has_begun() || self.outcome == Outcome::Success,
            is_partial: self.is_partial && self.outcome != Outcome::Success,
        });
    }
}

/// Whether an operation has tokens that come out.
pub(crate) fn has_output(operation: &str) -> bool {
    !matches!(operation, "embeddings" | "rerank" | "moderation")
}
