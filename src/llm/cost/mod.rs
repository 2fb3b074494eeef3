//! What calls cost: by the user's prices, or as their providers say.

mod money;
mod price;
mod rate;
mod spelling;
mod table;

use crate::llm::call::Ended;

pub(super) use money::{Charge, Money};
pub use price::Price;
pub use table::PriceTable;
pub(super) use table::Rates;

/// What is known of the cost of a call that has ended.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Bill {
    /// What it costs, as far as that is known, and by whom it is told.
    pub(super) cost: Option<(&'static str, Money)>,
    /// Why that is not known, or not all of it.
    pub(super) unpriced: Option<&'static str>,
}

impl Bill {
    /// Makes the bill of a call: what the provider charges, if he says so, and else what it
    /// costs by the prices that there are. Without prices there is nothing to lack.
    pub(super) fn of(call: &Ended<'_>, rates: Option<&Rates>) -> Self {
        if let Some(charged) = call.charge.total() {
            return Self {
                cost: Some(("reported", charged)),
                unpriced: call.is_partial.then_some("usage"),
            };
        }
        // What was refused costs nothing.
        let is_free = !call.has_begun && call.missing.is_none();
        let Some(rates) = rates.filter(|_| !is_free) else {
            return Self::default();
        };
        let Some(rate) = rates.find(call.provider, [call.answered, call.model]) else {
            return Self {
                cost: None,
                unpriced: Some("model"),
            };
        };
        let cost = rate.cost(&call.usage);
        let is_possible = cost.known <= Money::MOST_OF_A_CALL;
        let has_usage = call.has_begun && is_possible && rate.is_fed(&call.usage, call.missing);
        if has_usage && !cost.lacks_unit {
            return Self {
                cost: Some(("table", cost.known)),
                unpriced: None,
            };
        }
        // Of what is not known whole, nothing is not a cost of 0.
        let is_some = call.has_begun && is_possible && cost.known > Money::default();
        Self {
            cost: is_some.then_some(("table", cost.known)),
            unpriced: Some(if has_usage { "unit" } else { "usage" }),
        }
    }
}
