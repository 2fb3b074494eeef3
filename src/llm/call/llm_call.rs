//! The guard of one call, which records the call once, when the guard is dropped.

use std::fmt;
use std::time::{Duration, Instant};

use crate::llm::facts::{
    CallFacts, CallTarget, EndedCall, ErrorType, MAX_TOKENS, ModelEvidence, Money, Outcome,
    RateLimit, ServerPhase, Usage,
};
use crate::llm::metrics::LlmMetrics;
use crate::metric::{Histogram, InFlight};

/// An LLM call that is recorded by hand, with
/// [`LlmLayer::start_call`](crate::llm::LlmLayer::start_call).
///
/// It is recorded once: with the outcome given to [`finish`](Self::finish), or as cancelled if it
/// is dropped before.
#[must_use = "a call that is dropped is recorded as cancelled"]
#[doc(alias = "guard")]
#[doc(alias = "manual instrumentation")]
pub struct LlmCall {
    metrics: LlmMetrics,
    /// `None` for the fetch of a stored response, which is not a call in flight.
    in_flight: Option<InFlight>,
    pub(crate) target: CallTarget,
    pub(crate) facts: CallFacts,
    pub(crate) acceptance: Acceptance,
    pub(crate) outcome: Outcome,
    started: Instant,
    first_token: Option<Instant>,
    /// Whether all content was in one frame, so that the time between its tokens is unknown.
    pub(crate) is_single_frame: bool,
    chunk_timer: Option<ChunkTimer>,
    /// The duration, if it was not measured by this guard.
    pub(crate) measured_duration: Option<Duration>,
    is_discarded: bool,
}

/// Does not print the labels, which may come from a client.
impl fmt::Debug for LlmCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmCall")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Whether the provider accepted a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Acceptance {
    /// There is no response yet.
    Unknown,
    /// The response is an error, and the call used nothing.
    Rejected,
    Accepted,
}

/// Times the chunks of a streamed response.
struct ChunkTimer {
    seconds: Histogram,
    last_chunk: Instant,
}

impl LlmCall {
    pub(crate) fn start(
        metrics: &LlmMetrics,
        provider: &str,
        model: Option<Box<str>>,
        operation: &str,
    ) -> Self {
        let mut call = Self::start_fetch(metrics, provider, operation);
        call.target.model = model;
        let (in_flight, has_series) = metrics.begin_call(&call.target);
        call.in_flight = Some(in_flight);
        call.target.has_series = has_series && call.target.model.is_some();
        call
    }

    /// Starts the fetch of a stored response.
    pub(crate) fn start_fetch(metrics: &LlmMetrics, provider: &str, operation: &str) -> Self {
        Self {
            in_flight: None,
            target: CallTarget {
                provider: provider.into(),
                model: None,
                operation: operation.into(),
                model_evidence: ModelEvidence::None,
                has_series: false,
                route: metrics.current_route(),
            },
            facts: CallFacts::default(),
            acceptance: Acceptance::Unknown,
            outcome: Outcome::Cancelled,
            started: metrics.settings().clock.now(),
            first_token: None,
            is_single_frame: false,
            chunk_timer: None,
            measured_duration: None,
            is_discarded: false,
            metrics: metrics.clone(),
        }
    }

    /// Marks the time of the first token of a streamed response. Only the first call of this method
    /// has an effect.
    #[doc(alias = "streaming")]
    #[doc(alias = "time to first token")]
    #[doc(alias = "ttft")]
    pub fn first_token(&mut self) {
        if self.first_token.is_none() {
            self.first_token = Some(self.metrics.settings().clock.now());
            self.accept();
        }
    }

    /// Sets the tokens and other units that the call used. A later usage replaces it.
    ///
    /// A count above 2^40 is ignored, and the call is counted in `llm_usage_missing_total` with
    /// the reason `invalid`.
    #[doc(alias = "token usage")]
    pub fn set_usage(&mut self, usage: Usage) {
        let (usage, is_invalid) = usage.discard_invalid();
        self.facts.usage = usage;
        self.facts.usage_unknown = is_invalid.then_some("invalid");
        self.accept();
    }

    /// Sets the cost that the provider reports, in US dollars. It is counted instead of the cost
    /// by the [prices](crate::llm::LlmLayer::prices). A number that is negative, not a number, or
    /// more than a million is ignored.
    #[doc(alias = "price")]
    pub fn set_cost(&mut self, dollars: f64) {
        if let Some(cost) = Money::from_dollars(dollars) {
            self.facts.reported_cost.amount = Some(cost);
        }
    }

    /// Sets the time that the call waited in the provider's queue, as the provider reports it.
    pub fn set_queue_time(&mut self, duration: Duration) {
        self.facts.server_times.set(ServerPhase::Queue, duration);
    }

    /// Sets the time in which the provider loaded the model, as the provider reports it.
    pub fn set_load_time(&mut self, duration: Duration) {
        self.facts.server_times.set(ServerPhase::Load, duration);
    }

    /// Sets the time in which the provider processed the prompt, as the provider reports it.
    #[doc(alias = "prefill")]
    pub fn set_prompt_time(&mut self, duration: Duration) {
        self.facts.server_times.set(ServerPhase::Prompt, duration);
    }

    /// Sets the time in which the model generated the output, as the provider reports it.
    #[doc(alias = "decode")]
    pub fn set_generation_time(&mut self, duration: Duration) {
        self.facts.server_times.set(ServerPhase::Generate, duration);
    }

    /// Sets the total processing time, as the provider reports it.
    pub fn set_total_server_time(&mut self, duration: Duration) {
        self.facts.server_times.set(ServerPhase::Total, duration);
    }

    /// Ends the call and records it with `outcome`.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
        if matches!(outcome, Outcome::Success | Outcome::Pending) {
            self.confirm_model();
        }
    }

    /// Sets tokens that the caller does not divide into input and output.
    pub(crate) fn set_undirected_tokens(&mut self, tokens: u64) {
        if tokens > MAX_TOKENS {
            self.facts.usage_unknown = Some("invalid");
            self.acceptance = Acceptance::Accepted;
        } else {
            self.facts.undirected_tokens = Some(tokens);
        }
        if tokens > 0 {
            self.confirm_model();
        }
    }

    fn accept(&mut self) {
        self.acceptance = Acceptance::Accepted;
        self.confirm_model();
    }

    /// Gives the model its own series, because the provider accepted the call.
    pub(crate) fn confirm_model(&mut self) {
        if self.target.model_evidence == ModelEvidence::None {
            self.target.model_evidence = ModelEvidence::AcceptedRequest;
            if self.target.model.is_some() && !self.target.has_series {
                self.metrics.confirm_model(&self.target);
            }
        }
    }

    pub(crate) fn record_rate_limits(&self, limits: impl Iterator<Item = RateLimit>) {
        self.metrics.record_rate_limits(&self.target, limits);
    }

    /// Sets the operation, if the request does not show it.
    pub(crate) fn set_operation(&mut self, operation: &str) {
        self.target.operation = operation.into();
        self.target.has_series = false;
    }

    /// Prevents the call from being recorded.
    pub(crate) fn discard(&mut self) {
        self.is_discarded = true;
    }

    /// Observes the time since the last chunk, for the first of `chunks` chunks in one frame. The
    /// others have a time of 0.
    pub(crate) fn observe_chunks(&mut self, chunks: u64) {
        if chunks == 0 || !self.metrics.has_chunk_histogram() {
            return;
        }
        let now = self.metrics.settings().clock.now();
        match &mut self.chunk_timer {
            Some(timer) => {
                let duration = now.saturating_duration_since(timer.last_chunk);
                timer.seconds.observe_duration(duration);
                timer.last_chunk = now;
            }
            timer @ None => {
                let seconds = self.metrics.chunk_histogram(&self.target);
                *timer = seconds.map(|seconds| ChunkTimer {
                    seconds,
                    last_chunk: now,
                });
            }
        }
        if let Some(timer) = &self.chunk_timer {
            for _ in 1..chunks {
                timer.seconds.observe(0.0);
            }
        }
    }

    pub(crate) fn has_first_token(&self) -> bool {
        self.first_token.is_some()
    }

    pub(crate) fn metrics(&self) -> &LlmMetrics {
        &self.metrics
    }

    /// Returns the reason for missing token counts, if any.
    fn missing_usage(&self) -> Option<&'static str> {
        let facts = &self.facts;
        let is_accepted = self.acceptance == Acceptance::Accepted;
        let by_outcome = match self.outcome {
            _ if is_accepted && facts.usage_unknown == Some("invalid") => "invalid",
            Outcome::Pending => return None,
            _ if facts.has_usage(self.target.has_output()) && !facts.is_partial => {
                return (!facts.is_consistent()).then_some("inconsistent");
            }
            // A call that failed before the response used no tokens, unless the provider had
            // accepted it.
            Outcome::Error(error) if !self.may_be_accepted(error) => return None,
            Outcome::Success => "not_reported",
            Outcome::Error(_) => "error",
            Outcome::Truncated => "truncated",
            Outcome::Cancelled => "cancelled",
        };
        Some(facts.usage_unknown.unwrap_or(by_outcome))
    }

    /// Returns true if the provider accepted the call, or may have accepted it without responding.
    fn may_be_accepted(&self, error: ErrorType) -> bool {
        match self.acceptance {
            Acceptance::Unknown => matches!(error, ErrorType::Timeout | ErrorType::Transport),
            Acceptance::Rejected => false,
            Acceptance::Accepted => true,
        }
    }

    /// Returns the mean time of the visible tokens after the first, in seconds.
    fn time_per_output_token(&self, since_first_token: Option<Duration>) -> Option<f64> {
        let is_measured = self.outcome == Outcome::Success && !self.is_single_frame;
        let seconds = since_first_token.filter(|_| is_measured)?.as_secs_f64();
        let visible_tokens = self
            .facts
            .usage
            .output?
            .checked_sub(self.facts.hidden_tokens)?;
        let after_first = visible_tokens.checked_sub(1).filter(|tokens| *tokens > 0)?;
        Some(seconds / after_first as f64)
    }

    fn record(&self) {
        let clock = &self.metrics.settings().clock;
        // The duration of a fetch is not the duration of the call that created the response.
        let measured = || self.in_flight.as_ref().map(|_| clock.since(self.started));
        let since_first_token = self.first_token.map(|first_token| clock.since(first_token));
        let to_first_token =
            |first_token: Instant| first_token.saturating_duration_since(self.started);
        self.metrics.record(&EndedCall {
            target: &self.target,
            facts: &self.facts,
            outcome: self.outcome,
            is_accepted: self.acceptance == Acceptance::Accepted
                || self.outcome == Outcome::Success,
            missing_usage: self.missing_usage(),
            duration: self.measured_duration.or_else(measured),
            time_to_first_token: self.first_token.map(to_first_token),
            time_per_output_token: self.time_per_output_token(since_first_token),
        });
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
