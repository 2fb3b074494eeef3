//! Validated prices, and the cost of a call by them.

use std::cmp::Reverse;

use crate::llm::cost::UnpricedReason;
use crate::llm::cost::price::{Price, TokenPrices};
use crate::llm::facts::{Money, ServiceTier, UNITS, Usage};

/// A validated price, per single token.
#[derive(Debug)]
pub(crate) struct CheckedPrice {
    tokens: Option<TokenPrices<Money>>,
    /// In dollars, as `f64`, because a count of units may have a fraction.
    units: [Option<f64>; UNITS.len()],
    call: Money,
    /// The prices of calls with more input tokens than this, the highest threshold first.
    above: Vec<(u64, CheckedPrice)>,
    tiers: Vec<(ServiceTier, CheckedPrice)>,
}

/// The cost of a call's tokens and units that have prices.
#[derive(Debug, PartialEq)]
pub(crate) struct CostByTable {
    pub(crate) amount: Money,
    /// What has no price, if anything.
    pub(crate) unpriced: Option<UnpricedReason>,
}

impl CheckedPrice {
    /// Validates a price; `Err` holds the first invalid number.
    pub(crate) fn new(price: &Price) -> Result<Self, f64> {
        let money = |dollars: f64| Money::from_dollars(dollars).ok_or(dollars);
        let token = |dollars: f64| Money::from_dollars(dollars / 1e6).ok_or(dollars);
        let optional = |dollars: Option<f64>| dollars.map(token).transpose();
        let tokens = match &price.tokens {
            Some(tokens) => Some(TokenPrices {
                input: token(tokens.input)?,
                output: token(tokens.output)?,
                cache_read: optional(tokens.cache_read)?,
                cache_write: optional(tokens.cache_write)?,
                cache_write_1h: optional(tokens.cache_write_1h)?,
                audio_input: optional(tokens.audio_input)?,
                audio_output: optional(tokens.audio_output)?,
                image_input: optional(tokens.image_input)?,
                image_output: optional(tokens.image_output)?,
            }),
            None => None,
        };
        for unit in price.units.into_iter().flatten() {
            money(unit)?;
        }
        let above = price.above.iter();
        let above = above.map(|(input, price)| Ok((*input, Self::new(price)?)));
        let mut above: Vec<_> = above.collect::<Result<_, f64>>()?;
        above.sort_by_key(|(input, _)| Reverse(*input));
        let tiers = price.tiers.iter();
        let tiers = tiers.map(|(tier, price)| Ok((*tier, Self::new(price)?)));
        Ok(Self {
            tokens,
            units: price.units,
            call: money(price.call)?,
            above,
            tiers: tiers.collect::<Result<_, f64>>()?,
        })
    }

    /// Returns true if the usage that the price depends on is known. `missing` is the reason for
    /// missing token counts, if any.
    pub(crate) fn has_required_usage(&self, usage: &Usage, missing: Option<&str>) -> bool {
        let has_tokens = usage.input.is_some() || usage.output.is_some();
        let has_units = usage.units().next().is_some();
        if self.tokens.is_some() || !self.above.is_empty() {
            // Units can replace tokens, but a usage without both is unknown.
            return missing.is_none() && (has_tokens || has_units);
        }
        let has_price_of_unit = self.units.iter().any(Option::is_some);
        !has_price_of_unit || missing != Some("invalid") && (has_tokens || has_units)
    }

    pub(crate) fn cost(&self, usage: &Usage) -> CostByTable {
        let Some(tier) = usage.units.tier else {
            return self.standard_cost(usage);
        };
        match self.tiers.iter().find(|(priced, _)| *priced == tier) {
            Some((_, price)) => price.standard_cost(usage),
            None => CostByTable {
                unpriced: Some(UnpricedReason::ServiceTier),
                ..self.standard_cost(usage)
            },
        }
    }

    fn standard_cost(&self, usage: &Usage) -> CostByTable {
        let mut above = self.above.iter();
        if let Some((_, price)) = above.find(|(input, _)| usage.input > Some(*input)) {
            return price.standard_cost(usage);
        }
        let mut amount = self.call;
        let mut unpriced = None;
        if let Some(tokens) = &self.tokens {
            amount += tokens.cost(usage);
            unpriced = tokens
                .has_unpriced_tokens(usage)
                .then_some(UnpricedReason::TokenKind);
        }
        for (unit, _) in UNITS {
            let count = usage.units.get(unit).unwrap_or(0.0);
            match self.units[unit as usize] {
                Some(price) => amount += Money::from_dollars(price * count).unwrap_or(Money::MAX),
                None if count > 0.0 => unpriced = Some(UnpricedReason::Unit),
                None => {}
            }
        }
        CostByTable { amount, unpriced }
    }
}

impl TokenPrices<Money> {
    fn cost(&self, usage: &Usage) -> Money {
        let input = [
            (usage.cache_read, self.cache_read),
            (usage.cache_write_1h, self.cache_write_1h),
            (short_cache_write(usage), self.cache_write),
            (usage.audio_input, self.audio_input),
            (usage.image_input, self.image_input),
        ];
        let output = [
            (usage.audio_output, self.audio_output),
            (usage.image_output, self.image_output),
        ];
        let mut cost = direction_cost(usage.input, self.input, &input);
        cost += direction_cost(usage.output, self.output, &output);
        cost
    }

    /// Returns true if there are tokens of a kind that has no price and usually costs more than
    /// other tokens. Cache reads cost less, so they are not included.
    fn has_unpriced_tokens(&self, usage: &Usage) -> bool {
        [
            (short_cache_write(usage), self.cache_write, self.input),
            (usage.cache_write_1h, self.cache_write_1h, self.input),
            (usage.audio_input, self.audio_input, self.input),
            (usage.image_input, self.image_input, self.input),
            (usage.audio_output, self.audio_output, self.output),
            (usage.image_output, self.image_output, self.output),
        ]
        .into_iter()
        .any(|(tokens, price, others)| {
            // If text tokens are free, all kinds are.
            tokens > Some(0) && price.is_none() && others > Money::default()
        })
    }
}

/// Returns the cache writes other than those for an hour.
fn short_cache_write(usage: &Usage) -> Option<u64> {
    let hour = usage.cache_write_1h.unwrap_or(0);
    Some(usage.cache_write?.saturating_sub(hour))
}

/// Returns the cost of the tokens of one direction. `parts` are kinds of these tokens, each with
/// its price, if it has one.
fn direction_cost(all: Option<u64>, price: Money, parts: &[(Option<u64>, Option<Money>)]) -> Money {
    let mut remaining = all.unwrap_or(0);
    let mut cost = Money::default();
    for (part, part_price) in parts {
        if let Some(part_price) = part_price {
            let part = part.unwrap_or(0).min(remaining);
            remaining -= part;
            cost += part_price.times(part);
        }
    }
    cost += price.times(remaining);
    cost
}
