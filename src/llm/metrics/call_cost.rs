//! The cost of a call: the reported cost, or else the cost by the table of prices.

use crate::llm::cost::{CheckedPriceTable, UnpricedReason};
use crate::llm::facts::{EndedCall, Money, Outcome, Usage};

/// The cost of a call that has ended, as far as it is known.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CallCost {
    /// The known cost, and its source: [`REPORTED`] or [`TABLE`].
    pub(crate) amount: Option<(&'static str, Money)>,
    /// Why the cost is unknown or incomplete, if it is.
    pub(crate) unpriced: Option<UnpricedReason>,
}

/// The source of a cost that the provider reports.
pub(crate) const REPORTED: &str = "reported";

/// The source of a cost by the user's table of prices.
pub(crate) const TABLE: &str = "table";

impl CallCost {
    /// Returns the cost that the provider reports, or else the cost by the table. Without a
    /// table no call is unpriced.
    pub(crate) fn new(call: &EndedCall<'_>, prices: Option<&CheckedPriceTable>) -> Self {
        let facts = call.facts;
        // The cost of a pending call is counted when its response is fetched.
        if call.outcome == Outcome::Pending {
            return Self::default();
        }
        if let Some(amount) = facts.reported_cost.total() {
            let is_partial = facts.is_partial && call.outcome != Outcome::Success;
            return Self {
                amount: Some((REPORTED, amount)),
                unpriced: is_partial.then_some(UnpricedReason::Usage),
            };
        }
        // The requested model used nothing and other models generated the response, so it is free.
        if !facts.other_models.is_empty() && facts.usage.is_zero() {
            return Self::default();
        }
        // A rejected call costs nothing.
        let is_free = !call.is_accepted && call.missing_usage.is_none();
        let Some(prices) = prices.filter(|_| !is_free) else {
            return Self::default();
        };
        let models = [
            facts.response_model.as_deref(),
            call.target.model.as_deref(),
        ];
        Self::from_table(call, &facts.usage, prices, models)
    }

    /// Returns the cost of another model in the same call, in the same service tier. A reported
    /// cost includes it.
    pub(crate) fn for_other_model(
        call: &EndedCall<'_>,
        model: &str,
        usage: &Usage,
        prices: Option<&CheckedPriceTable>,
    ) -> Self {
        match prices {
            Some(prices) if call.facts.reported_cost.total().is_none() => {
                let mut usage = *usage;
                usage.units.tier = call.facts.usage.units.tier;
                Self::from_table(call, &usage, prices, [Some(model), None])
            }
            _ => Self::default(),
        }
    }

    fn from_table(
        call: &EndedCall<'_>,
        usage: &Usage,
        prices: &CheckedPriceTable,
        models: [Option<&str>; 2],
    ) -> Self {
        let Some(price) = prices.find(&call.target.provider, models) else {
            return Self {
                amount: None,
                unpriced: Some(UnpricedReason::Model),
            };
        };
        let cost = price.cost(usage);
        let is_plausible = call.is_accepted && cost.amount <= Money::MAX_PER_CALL;
        let has_usage = is_plausible && price.has_required_usage(usage, call.missing_usage);
        let unpriced = if has_usage {
            cost.unpriced
        } else {
            Some(UnpricedReason::Usage)
        };
        // With incomplete usage, a cost of 0 is unknown, not free.
        let is_positive = is_plausible && cost.amount > Money::default();
        let is_known = unpriced.is_none() || is_positive;
        Self {
            amount: is_known.then_some((TABLE, cost.amount)),
            unpriced,
        }
    }
}
