//! The guard of one call, which is recorded exactly once: when it is dropped.

use std::time::{Duration, Instant};

use crate::context::RequestRoute;
use crate::llm::cost::{Charge, Money};
use crate::llm::finish::Finishes;
use crate::llm::metrics::LlmMetrics;
use crate::llm::outcome::{ErrorType, Outcome};
use crate::llm::times::{Phase, Times};
use crate::llm::usage::Usage;
use crate::metric::{Histogram, InFlight};

/// One call of an LLM, from its start to the end of the answer.
///
/// Dropped without being [finished](Self::finish), it was cancelled. See
/// [`LlmMetrics`] for an example.
#[derive(Debug)]
#[must_use = "a call that is dropped was cancelled"]
pub struct LlmCall {
    metrics: LlmMetrics,
    in_flight: InFlight,
    pub(super) provider: Box<str>,
    pub(super) operation: Box<str>,
    pub(super) model: Option<Box<str>>,
    /// The model that answered, by whose price it goes.
    pub(super) answered: Option<Box<str>>,
    /// The route of the request that makes the call, if that is to be told.
    route: RequestRoute,
    started: Instant,
    first: Option<Instant>,
    chunks: Option<Chunks>,
    pub(super) usage: Usage,
    /// Tokens of which nobody says whether they went in or out.
    pub(super) tokens: Option<u64>,
    /// Those of the output that came before the first, and were not shown.
    pub(super) unseen: u64,
    /// Whether the first token and the last were in one frame, so that the time between
    /// them says nothing.
    pub(super) came_at_once: bool,
    pub(super) finishes: Finishes,
    pub(super) tool_calls: u64,
    pub(super) charge: Charge,
    pub(super) times: Times,
    pub(super) progress: Progress,
    /// Why the answer's tokens cannot be known, if so.
    pub(super) blind: Option<&'static str>,
    /// Whether what is known of the usage may have grown until the end, which did not come.
    pub(super) is_partial: bool,
    pub(super) outcome: Outcome,
    /// How long it took, if someone else has measured that.
    pub(super) took: Option<Duration>,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Progress {
    /// Nobody knows whether the provider is at work.
    Sent,
    /// It took nothing.
    Refused,
    /// There is an answer.
    Answered,
}

/// The parts of a streamed answer, where each is timed.
#[derive(Debug)]
struct Chunks {
    seconds: Histogram,
    last: Instant,
}

/// A call that has ended, as it is recorded.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) provider: &'a str,
    pub(super) model: Option<&'a str>,
    pub(super) answered: Option<&'a str>,
    pub(super) route: Option<&'a str>,
    pub(super) operation: &'a str,
    pub(super) outcome: Outcome,
    pub(super) duration: Duration,
    pub(super) until_first: Option<Duration>,
    pub(super) per_token: Option<f64>,
    pub(super) usage: Usage,
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

impl LlmCall {
    pub(super) fn start(
        metrics: &LlmMetrics,
        operation: &str,
        provider: &str,
        model: Option<Box<str>>,
    ) -> Self {
        Self {
            in_flight: metrics.enter(provider, model.as_deref(), operation),
            started: metrics.settings().clock.now(),
            metrics: metrics.clone(),
            provider: provider.into(),
            operation: operation.into(),
            model,
            answered: None,
            route: metrics.route(),
            first: None,
            chunks: None,
            usage: Usage::default(),
            tokens: None,
            unseen: 0,
            came_at_once: false,
            finishes: Finishes::default(),
            tool_calls: 0,
            charge: Charge::default(),
            times: Times::default(),
            progress: Progress::Sent,
            blind: None,
            is_partial: false,
            outcome: Outcome::Cancelled,
            took: None,
        }
    }

    /// Notes that the first token of a streamed answer has come; only the first time
    /// counts.
    pub fn first_token(&mut self) {
        if self.first.is_none() {
            self.first = Some(self.metrics.settings().clock.now());
            self.progress = Progress::Answered;
        }
    }

    /// Notes what is known of the tokens, which may be said again: the last counts.
    pub fn usage(&mut self, usage: Usage) {
        self.usage = usage;
        self.progress = Progress::Answered;
    }

    /// Notes what the provider says that the call costs, in US dollars, for which no price
    /// is asked then. A number that is negative or none is ignored.
    pub fn cost(&mut self, dollars: f64) {
        if let Some(cost) = Money::dollars(dollars) {
            self.charge.own = Some(cost);
        }
    }

    /// Notes how long the provider says that a part of its work took.
    pub fn server_time(&mut self, phase: Phase, took: Duration) {
        self.times.set(phase, took);
    }

    /// Ends the call.
    pub fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Notes that so many parts of a streamed answer have come at once, where each is timed.
    pub(super) fn chunks(&mut self, parts: u64) {
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
                let seconds = self
                    .metrics
                    .per_chunk(&self.provider, model, &self.operation);
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
    pub(super) fn has_first(&self) -> bool {
        self.first.is_some()
    }

    pub(super) fn metrics(&self) -> &LlmMetrics {
        &self.metrics
    }

    /// Returns why the tokens are not counted, or not all of them.
    fn missing(&self) -> Option<&'static str> {
        let is_known = self.tokens.is_some()
            || self.usage.input.is_some()
                && (self.usage.output.is_some() || !has_output(&self.operation))
            || self.usage.is_by_units();
        let by_outcome = match self.outcome {
            _ if self.has_begun() && self.blind == Some("invalid") => "invalid",
            _ if is_known && !self.is_partial => return None,
            // What failed before an answer took no tokens, unless it was at work.
            Outcome::Error(error) if !self.may_have_begun(error) => return None,
            Outcome::Success => "not_reported",
            Outcome::Error(_) => "error",
            Outcome::Truncated => "truncated",
            Outcome::Cancelled => "cancelled",
        };
        Some(self.blind.unwrap_or(by_outcome))
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
        let is_told = self.outcome == Outcome::Success && !self.came_at_once;
        let seconds = since_first.filter(|_| is_told)?.as_secs_f64();
        let tokens = self.usage.output?.checked_sub(self.unseen)?;
        let after_first = tokens.checked_sub(1).filter(|tokens| *tokens > 0)?;
        Some(seconds / after_first as f64)
    }
}

impl Drop for LlmCall {
    fn drop(&mut self) {
        let clock = &self.metrics.settings().clock;
        let since_first = self.first.map(|first| clock.since(first));
        let first = self.first;
        self.metrics.record(&Ended {
            provider: &self.provider,
            model: self.model.as_deref(),
            answered: self.answered.as_deref(),
            route: self.route.name(),
            operation: &self.operation,
            outcome: self.outcome,
            duration: self.took.unwrap_or_else(|| clock.since(self.started)),
            until_first: first.map(|first| first.saturating_duration_since(self.started)),
            per_token: self.per_token(since_first),
            usage: self.usage,
            tokens: self.tokens,
            missing: self.missing(),
            finishes: &self.finishes,
            tool_calls: self.tool_calls,
            charge: self.charge,
            times: self.times,
            has_begun: self.has_begun() || self.outcome == Outcome::Success,
            is_partial: self.is_partial && self.outcome != Outcome::Success,
        });
        self.in_flight.leave();
    }
}

/// Whether an operation has tokens that come out.
pub(super) fn has_output(operation: &str) -> bool {
    !matches!(operation, "embeddings" | "rerank" | "moderation")
}
