//! Recording of a call that has ended.

use crate::llm::facts::{EndedCall, ErrorType, Outcome, Usage};
use crate::llm::metrics::call_cost::CallCost;
use crate::llm::metrics::families::{DurationFamily, Families, RouteFamilies, TokenFamily};
use crate::metric::Histogram;

/// The label `route` of a call outside of an HTTP request.
const NO_ROUTE: &str = "none";

impl Families {
    pub(crate) fn record(&self, labels: [&str; 3], call: &EndedCall<'_>, cost: &CallCost) {
        self.record_outcome(labels, call.outcome);
        self.record_times(labels, call);
        self.record_usage(labels, call);
        self.record_cost(labels, cost);
        if let Some(by_route) = &self.by_route {
            by_route.record(labels, call, cost);
        }
    }

    /// Records the usage of a second model that took part in the call, such as an advisor.
    pub(crate) fn record_other_model(
        &self,
        labels: [&str; 3],
        route: Option<&str>,
        usage: &Usage,
        cost: &CallCost,
    ) {
        self.record_tokens(labels, usage, None);
        self.record_cost(labels, cost);
        if let Some(by_route) = &self.by_route {
            by_route.record_usage(labels, route, tokens_by_direction(usage, None), cost);
        }
    }

    pub(crate) fn has_chunk_histogram(&self) -> bool {
        self.time_per_output_chunk.is_some()
    }

    /// Returns the histogram of the time between chunks, if the preset has one.
    pub(crate) fn chunk_histogram(&self, labels: [&str; 3]) -> Option<Histogram> {
        Some(self.time_per_output_chunk.as_ref()?.with(labels).clone())
    }

    fn record_outcome(&self, labels: [&str; 3], outcome: Outcome) {
        self.requests
            .with(with_label(labels, outcome.as_str()))
            .inc();
        match outcome {
            Outcome::Success => self.successes.with(labels).inc(),
            Outcome::Error(_) | Outcome::Truncated => {
                self.errors
                    .with(with_label(labels, error_type(outcome)))
                    .inc();
            }
            Outcome::Cancelled | Outcome::Pending => {}
        }
    }

    fn record_times(&self, labels: [&str; 3], call: &EndedCall<'_>) {
        if let Some(duration) = call.duration {
            match &self.duration {
                DurationFamily::ByCall(family) => family.with(labels).observe_duration(duration),
                DurationFamily::ByError(family) => family
                    .with(with_label(labels, error_type(call.outcome)))
                    .observe_duration(duration),
            }
        }
        if let Some(first_token) = call.time_to_first_token {
            self.time_to_first_token
                .with(labels)
                .observe_duration(first_token);
        }
        if let Some(seconds) = call.time_per_output_token {
            self.time_per_output_token.with(labels).observe(seconds);
        }
        for (phase, duration) in call.facts.server_times.iter() {
            self.server_time
                .with(with_label(labels, phase))
                .observe_duration(duration);
        }
    }

    fn record_usage(&self, labels: [&str; 3], call: &EndedCall<'_>) {
        let facts = call.facts;
        self.record_tokens(labels, &facts.usage, facts.undirected_tokens);
        if let Some(reason) = call.missing_usage {
            self.missing_usage.with(with_label(labels, reason)).inc();
        }
        for reason in facts.finish_reasons.reasons() {
            self.finish_reasons.with(with_label(labels, reason)).inc();
        }
        if facts.tool_calls > 0 {
            self.tool_calls.with(labels).inc_by(facts.tool_calls);
        }
    }

    fn record_tokens(&self, labels: [&str; 3], usage: &Usage, undirected: Option<u64>) {
        for (direction, tokens) in tokens_by_direction(usage, undirected) {
            let labels = with_label(labels, direction);
            match &self.tokens {
                TokenFamily::Sum(family) => family.with(labels).inc_by(tokens),
                TokenFamily::PerCall(family) => family.with(labels).observe(tokens as f64),
            }
        }
        for (kind, tokens) in usage.details() {
            self.token_details
                .with(with_label(labels, kind))
                .inc_by(tokens);
        }
        for (unit, count) in usage.units() {
            self.billed_units
                .with(with_label(labels, unit))
                .inc_by(count);
        }
    }

    fn record_cost(&self, labels: [&str; 3], cost: &CallCost) {
        if let Some((source, amount)) = cost.amount {
            self.cost
                .with_ref(&mut with_label(labels, source), |series, _| {
                    series.add(amount.picos());
                });
        }
        if let Some(reason) = cost.unpriced {
            self.unpriced
                .with(with_label(labels, reason.as_str()))
                .inc();
        }
    }
}

impl RouteFamilies {
    fn record(&self, labels: [&str; 3], call: &EndedCall<'_>, cost: &CallCost) {
        let route = call.target.route.name();
        self.requests
            .with(with_label(labels, route.unwrap_or(NO_ROUTE)))
            .inc();
        let facts = call.facts;
        let tokens = tokens_by_direction(&facts.usage, facts.undirected_tokens);
        self.record_usage(labels, route, tokens, cost);
    }

    fn record_usage(
        &self,
        [provider, model, operation]: [&str; 3],
        route: Option<&str>,
        tokens: impl Iterator<Item = (&'static str, u64)>,
        cost: &CallCost,
    ) {
        let route = route.unwrap_or(NO_ROUTE);
        for (direction, tokens) in tokens {
            let labels = [provider, model, operation, route, direction];
            self.tokens.with(labels).inc_by(tokens);
        }
        if let Some((_, amount)) = cost.amount {
            let mut labels = [provider, model, operation, route];
            self.cost
                .with_ref(&mut labels, |series, _| series.add(amount.picos()));
        }
    }
}

/// Adds the fourth label.
pub(crate) fn with_label<'a>(
    [provider, model, operation]: [&'a str; 3],
    value: &'a str,
) -> [&'a str; 4] {
    [provider, model, operation, value]
}

/// Returns the known tokens, with the label `direction`.
fn tokens_by_direction(
    usage: &Usage,
    undirected: Option<u64>,
) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let tokens = [
        ("input", usage.input),
        ("output", usage.output),
        ("unknown", undirected),
    ];
    tokens
        .into_iter()
        .filter_map(|(direction, tokens)| Some((direction, tokens?)))
}

/// Returns the label `error_type`, which is empty if there was no error.
fn error_type(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Error(error) => error.as_str(),
        Outcome::Truncated => ErrorType::Truncated.as_str(),
        Outcome::Success | Outcome::Cancelled | Outcome::Pending => "",
    }
}
