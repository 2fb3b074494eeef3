//! What a reading holds of calls of LLMs.

use std::collections::HashMap;

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::view::merged_histogram::Spread;
use crate::dashboards::view::reading::{Labels, since};

/// The calls of all models, by provider and model.
#[derive(Debug, Default)]
pub(super) struct Calls {
    models: HashMap<Box<str>, HashMap<Box<str>, Model>>,
    /// US dollars by the route that spent them.
    pub(super) routes: HashMap<Box<str>, f64>,
}

/// The calls of one model.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    /// Those that ended.
    pub(super) calls: f64,
    /// Those of them that failed or broke off.
    pub(super) errors: f64,
    pub(super) in_flight: f64,
    /// Tokens: of input, of output, and those of which it is not known.
    pub(super) tokens: [f64; 3],
    /// US dollars; none if there are no prices.
    pub(super) cost: Option<f64>,
    /// Calls that had none, or not for all of it.
    pub(super) unpriced: f64,
    /// Those of them for which there is no price, whatever their usage.
    priceless: f64,
    pub(super) times: Spread,
    pub(super) first_tokens: Spread,
    /// What rate limits still allow and allow in all, by operation and kind.
    headroom: HashMap<Box<str>, [Option<f64>; 2]>,
}

impl Calls {
    /// Returns where a series counts; none where it has no provider or model.
    pub(super) fn of(&mut self, labels: &Labels<'_>) -> Option<&mut Model> {
        let [provider, model] = [labels.get(0)?, labels.get(1)?];
        if !self.models.contains_key(provider) {
            self.models.insert(provider.into(), HashMap::new());
        }
        let models = self.models.get_mut(provider)?;
        if !models.contains_key(model) {
            models.insert(model.into(), Model::default());
        }
        models.get_mut(model)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// Forgets costs of 0 that only say that no call had a price.
    pub(super) fn forget_unknown_costs(&mut self) {
        for model in self.models.values_mut().flat_map(HashMap::values_mut) {
            let has_price = model.calls > 0.0 && model.priceless == 0.0;
            model.cost = model.cost.filter(|cost| *cost > 0.0 || has_price);
        }
    }

    /// Returns each provider, model, and its calls.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Model)> {
        self.models.iter().flat_map(|(provider, models)| {
            let models = models.iter();
            models.map(|(name, model)| (&**provider, &**name, model))
        })
    }

    pub(super) fn get(&self, provider: &str, model: &str) -> Option<&Model> {
        self.models.get(provider)?.get(model)
    }

    /// Returns all models together.
    pub(super) fn total(&self) -> Model {
        let mut total = Model::default();
        for (_, _, model) in self.iter() {
            total.merge(model);
        }
        total
    }

    /// Returns what all models together have come by since another reading.
    pub(super) fn since(&self, before: Option<&Self>) -> Model {
        let mut new = Model::default();
        for (provider, name, model) in self.iter() {
            let earlier = before.and_then(|before| before.get(provider, name));
            new.merge(&model.since(earlier));
        }
        new
    }

    /// Counts what a route spent.
    pub(super) fn spend(&mut self, labels: &Labels<'_>, dollars: f64) {
        if let Some(route) = labels.get(3) {
            *self.routes.entry(route.into()).or_default() += dollars;
        }
    }
}

impl Model {
    /// Counts calls that ended.
    pub(super) fn end(&mut self, labels: &Labels<'_>, number: f64) {
        self.calls += number;
        let outcome = labels.last().unwrap_or_default();
        if LLM_ERRORS.split('|').any(|error| error == outcome) {
            self.errors += number;
        }
    }

    pub(super) fn take(&mut self, labels: &Labels<'_>, tokens: f64) {
        let direction = match labels.get(3) {
            Some("input") => 0,
            Some("output") => 1,
            _ => 2,
        };
        self.tokens[direction] += tokens;
    }

    pub(super) fn pay(&mut self, dollars: f64) {
        *self.cost.get_or_insert(0.0) += dollars;
    }

    /// Returns false if the counters were created at 0 and never incremented.
    pub(super) fn is_used(&self) -> bool {
        let tokens: f64 = self.tokens.iter().sum();
        self.calls + self.in_flight + tokens + self.unpriced > 0.0 || self.cost > Some(0.0)
    }

    /// Counts calls whose cost is not known, or not all of it.
    pub(super) fn lack(&mut self, labels: &Labels<'_>, number: f64) {
        self.unpriced += number;
        if labels.last() != Some("usage") {
            self.priceless += number;
        }
    }

    /// Notes what a limit still allows, or allows in all.
    pub(super) fn limit(&mut self, labels: &Labels<'_>, in_all: bool, number: f64) {
        let kind = [labels.get(2), labels.get(3)].map(Option::unwrap_or_default);
        let limit = self.headroom.entry(kind.join(" ").into()).or_default();
        limit[usize::from(in_all)] = Some(number);
    }

    /// Returns what part is left of the limit of which least is left, if any is known.
    pub(super) fn left(&self) -> Option<f64> {
        let shares = self.headroom.values().filter_map(|limit| {
            let [Some(remaining), Some(limit)] = *limit else {
                return None;
            };
            (limit > 0.0).then(|| remaining / limit)
        });
        shares.min_by(f64::total_cmp)
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        for (own, other) in self.tokens.iter_mut().zip(&other.tokens) {
            *own += other;
        }
        if let Some(cost) = other.cost {
            self.pay(cost);
        }
        self.unpriced += other.unpriced;
        self.priceless += other.priceless;
        self.times.merge(&other.times);
        self.first_tokens.merge(&other.first_tokens);
    }

    /// Returns what has come since another reading; what is under way or left is as now.
    pub(super) fn since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self.clone();
        };
        let mut tokens = self.tokens;
        for (now, before) in tokens.iter_mut().zip(before.tokens) {
            *now = since(*now, before);
        }
        Self {
            calls: since(self.calls, before.calls),
            errors: since(self.errors, before.errors),
            in_flight: self.in_flight,
            tokens,
            cost: self
                .cost
                .map(|cost| since(cost, before.cost.unwrap_or(0.0))),
            unpriced: since(self.unpriced, before.unpriced),
            priceless: since(self.priceless, before.priceless),
            times: self.times.since(&before.times),
            first_tokens: self.first_tokens.since(&before.first_tokens),
            headroom: self.headroom.clone(),
        }
    }
}
