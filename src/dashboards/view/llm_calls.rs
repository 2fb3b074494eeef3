//! The LLM calls in a sample, by provider and model.

use std::collections::HashMap;

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::view::increase::counter_increase;
use crate::dashboards::view::labels::LabelValues;
use crate::dashboards::view::merged_histogram::MergedHistogram;

/// The LLM calls of all models, by provider and model.
#[derive(Debug, Default)]
pub(super) struct LlmCalls {
    models: HashMap<Box<str>, HashMap<Box<str>, ModelTotals>>,
    /// Cost in US dollars, by the route of the request that made the calls.
    pub(super) cost_by_route: HashMap<Box<str>, f64>,
}

/// The LLM calls of one model.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelTotals {
    /// Finished calls.
    pub(super) calls: f64,
    /// Finished calls that failed or were cut off.
    pub(super) errors: f64,
    pub(super) in_flight: f64,
    /// Input tokens, output tokens, and tokens of unknown direction.
    pub(super) tokens: [f64; 3],
    /// Cost in US dollars. `None` if there are no prices.
    pub(super) cost: Option<f64>,
    /// Calls whose cost is unknown in whole or in part.
    pub(super) unpriced: f64,
    /// The unpriced calls that have no price, whether or not their usage is known.
    without_price: f64,
    pub(super) durations: MergedHistogram,
    pub(super) first_tokens: MergedHistogram,
    /// Rate limits by operation and kind.
    rate_limits: HashMap<Box<str>, RateLimitGauges>,
}

/// The last values of the two gauges of one rate limit.
#[derive(Debug, Clone, Copy, Default)]
struct RateLimitGauges {
    remaining: Option<f64>,
    limit: Option<f64>,
}

impl LlmCalls {
    /// Returns the model that a series belongs to, or `None` if the series has no provider or
    /// no model.
    pub(super) fn model_mut(&mut self, labels: &LabelValues<'_>) -> Option<&mut ModelTotals> {
        let [provider, model] = [labels.get(0)?, labels.get(1)?];
        if !self.models.contains_key(provider) {
            self.models.insert(provider.into(), HashMap::new());
        }
        let models = self.models.get_mut(provider)?;
        if !models.contains_key(model) {
            models.insert(model.into(), ModelTotals::default());
        }
        models.get_mut(model)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// Removes costs of 0 that only mean that no call had a price.
    pub(super) fn clear_unknown_costs(&mut self) {
        for model in self.models.values_mut().flat_map(HashMap::values_mut) {
            let has_price = model.calls > 0.0 && model.without_price == 0.0;
            model.cost = model.cost.filter(|cost| *cost > 0.0 || has_price);
        }
    }

    /// Returns each provider and model with its calls.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &ModelTotals)> {
        self.models.iter().flat_map(|(provider, models)| {
            let models = models.iter();
            models.map(|(name, model)| (&**provider, &**name, model))
        })
    }

    pub(super) fn get(&self, provider: &str, model: &str) -> Option<&ModelTotals> {
        self.models.get(provider)?.get(model)
    }

    /// Returns the sum over all models.
    pub(super) fn total(&self) -> ModelTotals {
        let mut total = ModelTotals::default();
        for (_, _, model) in self.iter() {
            total.merge(model);
        }
        total
    }

    /// Returns the increase of all models together since an earlier sample.
    pub(super) fn increase_since(&self, before: Option<&Self>) -> ModelTotals {
        let mut increase = ModelTotals::default();
        for (provider, name, model) in self.iter() {
            let earlier = before.and_then(|before| before.get(provider, name));
            increase.merge(&model.increase_since(earlier));
        }
        increase
    }

    /// Adds the cost of calls that requests to a route made.
    pub(super) fn add_route_cost(&mut self, labels: &LabelValues<'_>, dollars: f64) {
        if let Some(route) = labels.get(3) {
            *self.cost_by_route.entry(route.into()).or_default() += dollars;
        }
    }
}

impl ModelTotals {
    /// Adds finished calls.
    pub(super) fn add_finished(&mut self, labels: &LabelValues<'_>, number: f64) {
        self.calls += number;
        let outcome = labels.last().unwrap_or_default();
        if LLM_ERRORS.split('|').any(|error| error == outcome) {
            self.errors += number;
        }
    }

    pub(super) fn add_tokens(&mut self, labels: &LabelValues<'_>, tokens: f64) {
        let direction = match labels.get(3) {
            Some("input") => 0,
            Some("output") => 1,
            _ => 2,
        };
        self.tokens[direction] += tokens;
    }

    pub(super) fn add_cost(&mut self, dollars: f64) {
        *self.cost.get_or_insert(0.0) += dollars;
    }

    /// Adds calls whose cost is unknown in whole or in part.
    pub(super) fn add_unpriced(&mut self, labels: &LabelValues<'_>, number: f64) {
        self.unpriced += number;
        if labels.last() != Some("usage") {
            self.without_price += number;
        }
    }

    pub(super) fn set_rate_limit_remaining(&mut self, labels: &LabelValues<'_>, number: f64) {
        self.rate_limit_mut(labels).remaining = Some(number);
    }

    pub(super) fn set_rate_limit(&mut self, labels: &LabelValues<'_>, number: f64) {
        self.rate_limit_mut(labels).limit = Some(number);
    }

    fn rate_limit_mut(&mut self, labels: &LabelValues<'_>) -> &mut RateLimitGauges {
        let key = [labels.get(2), labels.get(3)].map(Option::unwrap_or_default);
        self.rate_limits.entry(key.join(" ").into()).or_default()
    }

    /// Returns false if the counters were created at 0 and never incremented.
    pub(super) fn is_used(&self) -> bool {
        let tokens: f64 = self.tokens.iter().sum();
        self.calls + self.in_flight + tokens + self.unpriced > 0.0 || self.cost > Some(0.0)
    }

    /// Returns the lowest remaining fraction of all rate limits, or `None` if none is known.
    pub(super) fn rate_limit_remaining(&self) -> Option<f64> {
        let fractions = self.rate_limits.values().filter_map(|gauges| {
            let (remaining, limit) = (gauges.remaining?, gauges.limit?);
            (limit > 0.0).then(|| remaining / limit)
        });
        fractions.min_by(f64::total_cmp)
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        for (tokens, other) in self.tokens.iter_mut().zip(&other.tokens) {
            *tokens += other;
        }
        if let Some(cost) = other.cost {
            self.add_cost(cost);
        }
        self.unpriced += other.unpriced;
        self.without_price += other.without_price;
        self.durations.merge(&other.durations);
        self.first_tokens.merge(&other.first_tokens);
    }

    /// Returns the increase since an earlier sample. Calls in flight and rate limits are the
    /// current values.
    pub(super) fn increase_since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self.clone();
        };
        let mut tokens = self.tokens;
        for (now, before) in tokens.iter_mut().zip(before.tokens) {
            *now = counter_increase(*now, before);
        }
        Self {
            calls: counter_increase(self.calls, before.calls),
            errors: counter_increase(self.errors, before.errors),
            in_flight: self.in_flight,
            tokens,
            cost: self
                .cost
                .map(|cost| counter_increase(cost, before.cost.unwrap_or(0.0))),
            unpriced: counter_increase(self.unpriced, before.unpriced),
            without_price: counter_increase(self.without_price, before.without_price),
            durations: self.durations.increase_since(&before.durations),
            first_tokens: self.first_tokens.increase_since(&before.first_tokens),
            rate_limits: self.rate_limits.clone(),
        }
    }
}
