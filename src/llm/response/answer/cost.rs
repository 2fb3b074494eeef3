//! The cost that the provider reports.

use crate::llm::facts::Money;
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

/// xAI's ticks in a dollar.
const TICKS_PER_DOLLAR: f64 = 1e10;

/// Billionths of a GitHub AI credit, which is a cent, in a dollar.
const NANO_CREDITS_PER_DOLLAR: f64 = 1e11;

impl Answer {
    /// The cost in US dollars, or in the currency that [`currency`](Self::currency) reads.
    pub(crate) fn cost(&mut self, value: Value<'_>) {
        set_cost(&mut self.facts.reported_cost.amount, value.to_f64());
    }

    pub(crate) fn cost_ticks(&mut self, value: Value<'_>) {
        let dollars = value.to_f64().map(|ticks| ticks / TICKS_PER_DOLLAR);
        set_cost(&mut self.facts.reported_cost.amount, dollars);
    }

    pub(crate) fn cost_nano_credits(&mut self, value: Value<'_>) {
        let dollars = value.to_f64().map(|nano| nano / NANO_CREDITS_PER_DOLLAR);
        set_cost(&mut self.facts.reported_cost.amount, dollars);
    }

    pub(crate) fn currency(&mut self, value: Value<'_>) {
        if let Value::Text(currency) = value {
            self.facts.reported_cost.is_other_currency = !currency.eq_ignore_ascii_case("usd");
        }
    }

    /// What the upstream provider charges, if the caller brings a key for it.
    pub(crate) fn upstream_cost(&mut self, value: Value<'_>) {
        set_cost(
            &mut self.facts.reported_cost.upstream_amount,
            value.to_f64(),
        );
    }

    /// Whether the caller brings a key for the upstream provider ("bring your own key").
    pub(crate) fn is_byok(&mut self, value: Value<'_>) {
        self.facts.reported_cost.has_upstream_amount = value.is_true();
    }
}

/// Sets a cost. A placeholder of 0 does not replace a known cost.
fn set_cost(known: &mut Option<Money>, dollars: Option<f64>) {
    if let Some(money) = dollars.and_then(Money::from_dollars)
        && (money > Money::default() || known.is_none())
    {
        *known = Some(money);
    }
}
