//! The cost of a call: what its provider reports, or else by the table of prices.

use crate::llm::cost::{CheckedPriceTable, Unpriced};
use crate::llm::facts::{Ended, Money, Outcome, Usage};

/// What is known of the cost of a call that has ended.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CallCost {
    /// What it costs, as far as that is known, and by whom it is told.
    pub(crate) amount: Option<(&'static str, Money)>,
    /// Why that is not known, or not all of it.
    pub(crate) unpriced: Option<Unpriced>,
}

/// Who says what a call costs: its provider, or the user's table of prices.
pub(crate) const REPORTED: &str = "reported";
pub(crate) const TABLE: &str = "table";

impl CallCost {
    /// Makes the bill of a call: what the provider charges, if he says so, and else what it
    /// costs by the prices that there are. Without prices there is nothing to lack.
    pub(crate) fn new(call: &Ended<'_>, rates: Option<&CheckedPriceTable>) -> Self {
        // A pending call is billed when its answer is fetched.
        if call.outcome == Outcome::Pending {
            return Self::default();
        }
        if let Some(charged) = call.charge.total() {
            return Self {
                amount: Some((REPORTED, charged)),
                unpriced: call.is_partial.then_some(Unpriced::Usage),
            };
        }
        // A model that declined and left all of the work to others took nothing.
        if !call.other_models.is_empty() && call.usage.is_zero() {
            return Self::default();
        }
        // What was refused costs nothing.
        let is_free = !call.has_begun && call.missing.is_none();
        let Some(rates) = rates.filter(|_| !is_free) else {
            return Self::default();
        };
        let models = [call.answered, call.model];
        Self::from_table(call, &call.usage, rates, models)
    }

    /// Makes the bill of another model in the same call, which the same tier served. A cost that
    /// the provider reports covers it.
    pub(crate) fn for_other_model(
        call: &Ended<'_>,
        model: &str,
        usage: &Usage,
        rates: Option<&CheckedPriceTable>,
    ) -> Self {
        match rates {
            Some(rates) if call.charge.total().is_none() => {
                let mut usage = *usage;
                usage.units.tier = call.usage.units.tier;
                Self::from_table(call, &usage, rates, [Some(model), None])
            }
            _ => Self::default(),
        }
    }

    fn from_table(
        call: &Ended<'_>,
        usage: &Usage,
        rates: &CheckedPriceTable,
        models: [Option<&str>; 2],
    ) -> Self {
        let Some(rate) = rates.find(call.provider, models) else {
            return Self {
                amount: None,
                unpriced: Some(Unpriced::Model),
            };
        };
        let cost = rate.cost(usage);
        let is_possible = cost.amount <= Money::MAX_PER_CALL;
        let has_usage =
            call.has_begun && is_possible && rate.has_required_usage(usage, call.missing);
        let unpriced = if has_usage {
            cost.unpriced
        } else {
            Some(Unpriced::Usage)
        };
        // With incomplete usage, a cost of 0 means unknown, and not free.
        let is_some = call.has_begun && is_possible && cost.amount > Money::default();
        let is_told = unpriced.is_none() || is_some;
        Self {
            amount: is_told.then_some((TABLE, cost.amount)),
            unpriced,
        }
    }
}
