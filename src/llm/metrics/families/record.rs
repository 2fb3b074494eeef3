//! How a call that has ended is recorded.

use crate::llm::facts::{Ended, ErrorType, Outcome, Usage};
use crate::llm::metrics::call_cost::CallCost;
use crate::llm::metrics::families::{ByRoute, Duration, Families, Tokens};
use crate::metric::Histogram;

/// The route of a call that no request made.
const NO_ROUTE: &str = "none";

impl Families {
    /// Records a call that has ended, with what it costs, under these labels.
    pub(crate) fn record(&self, labels: [&str; 3], ended: &Ended<'_>, bill: &CallCost) {
        self.ending(labels, ended.outcome);
        self.times(labels, ended);
        self.usage(labels, ended);
        self.bill(labels, bill);
        if let Some(by_route) = &self.by_route {
            by_route.record(labels, ended, bill);
        }
    }

    /// Whether there is a histogram of the time from part to part.
    pub(crate) fn times_chunks(&self) -> bool {
        self.per_chunk.is_some()
    }

    /// Returns that histogram.
    pub(crate) fn per_chunk(&self, labels: [&str; 3]) -> Option<Histogram> {
        Some(self.per_chunk.as_ref()?.with(labels).clone())
    }

    fn ending(&self, labels: [&str; 3], outcome: Outcome) {
        self.requests.with(and(labels, outcome.as_str())).inc();
        match outcome {
            Outcome::Success => self.success.with(labels).inc(),
            Outcome::Error(_) | Outcome::Truncated => {
                self.errors.with(and(labels, error_type(outcome))).inc();
            }
            Outcome::Cancelled | Outcome::Pending => {}
        }
    }

    fn times(&self, labels: [&str; 3], ended: &Ended<'_>) {
        if let Some(duration) = ended.duration {
            match &self.duration {
                Duration::OfAll(family) => family.with(labels).observe_duration(duration),
                Duration::ByError(family) => family
                    .with(and(labels, error_type(ended.outcome)))
                    .observe_duration(duration),
            }
        }
        if let Some(first) = ended.until_first {
            self.first_token.with(labels).observe_duration(first);
        }
        if let Some(seconds) = ended.per_token {
            self.per_token.with(labels).observe(seconds);
        }
        for (phase, took) in ended.times.iter() {
            self.server_time
                .with(and(labels, phase))
                .observe_duration(took);
        }
    }

    /// Records the usage of another model in the same call.
    pub(crate) fn record_other_model(
        &self,
        labels: [&str; 3],
        route: Option<&str>,
        usage: &Usage,
        bill: &CallCost,
    ) {
        self.tokens(labels, usage, None);
        self.bill(labels, bill);
        if let Some(by_route) = &self.by_route {
            by_route.take(labels, route, directions(usage, None), bill);
        }
    }

    fn tokens(&self, labels: [&str; 3], usage: &Usage, unknown: Option<u64>) {
        for (direction, tokens) in directions(usage, unknown) {
            let labels = and(labels, direction);
            match &self.tokens {
                Tokens::Sum(family) => family.with(labels).inc_by(tokens),
                Tokens::Spread(family) => family.with(labels).observe(tokens as f64),
            }
        }
        for (kind, tokens) in usage.details() {
            self.details.with(and(labels, kind)).inc_by(tokens);
        }
        for (unit, count) in usage.units() {
            self.units.with(and(labels, unit)).inc_by(count);
        }
    }

    fn usage(&self, labels: [&str; 3], ended: &Ended<'_>) {
        self.tokens(labels, &ended.usage, ended.tokens);
        if let Some(reason) = ended.missing {
            self.missing.with(and(labels, reason)).inc();
        }
        for reason in ended.finishes.reasons() {
            self.finishes.with(and(labels, reason)).inc();
        }
        if ended.tool_calls > 0 {
            self.tool_calls.with(labels).inc_by(ended.tool_calls);
        }
    }

    fn bill(&self, labels: [&str; 3], bill: &CallCost) {
        if let Some((source, cost)) = bill.amount {
            self.cost
                .get_or_create(&mut and(labels, source))
                .add(cost.picos());
        }
        if let Some(reason) = bill.unpriced {
            self.unpriced.with(and(labels, reason.as_str())).inc();
        }
    }
}

impl ByRoute {
    fn record(&self, labels: [&str; 3], ended: &Ended<'_>, bill: &CallCost) {
        let route = ended.route.unwrap_or(NO_ROUTE);
        self.requests.with(and(labels, route)).inc();
        let tokens = directions(&ended.usage, ended.tokens);
        self.take(labels, ended.route, tokens, bill);
    }

    fn take(
        &self,
        [provider, model, operation]: [&str; 3],
        route: Option<&str>,
        tokens: impl Iterator<Item = (&'static str, u64)>,
        bill: &CallCost,
    ) {
        let route = route.unwrap_or(NO_ROUTE);
        for (direction, tokens) in tokens {
            let labels = [provider, model, operation, route, direction];
            self.tokens.with(labels).inc_by(tokens);
        }
        if let Some((_, cost)) = bill.amount {
            let mut labels = [provider, model, operation, route];
            self.cost.get_or_create(&mut labels).add(cost.picos());
        }
    }
}

pub(crate) fn and<'a>([provider, model, operation]: [&'a str; 3], last: &'a str) -> [&'a str; 4] {
    [provider, model, operation, last]
}

/// Returns the tokens that are known, by their direction.
fn directions(
    usage: &Usage,
    unknown: Option<u64>,
) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let tokens = [
        ("input", usage.input),
        ("output", usage.output),
        ("unknown", unknown),
    ];
    tokens
        .into_iter()
        .filter_map(|(direction, tokens)| Some((direction, tokens?)))
}

/// Returns the type of what was wrong, and nothing where nothing was.
fn error_type(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Error(error) => error.as_str(),
        Outcome::Truncated => ErrorType::Truncated.as_str(),
        Outcome::Success | Outcome::Cancelled | Outcome::Pending => "",
    }
}
