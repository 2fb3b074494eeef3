//! What a call costs by a price.

use std::cmp::Reverse;

use crate::llm::cost::Unpriced;
use crate::llm::cost::price::{Price, TokenPrices};
use crate::llm::facts::{Money, ServiceTier, UNITS, Usage};

/// A price that has been checked, by the single token.
#[derive(Debug)]
pub(crate) struct CheckedPrice {
    tokens: Option<TokenPrices<Money>>,
    /// In dollars, since there may be parts of a unit.
    units: [Option<f64>; UNITS.len()],
    call: Money,
    /// Above so many tokens of input, the highest step first.
    above: Vec<(u64, CheckedPrice)>,
    tiers: Vec<(ServiceTier, CheckedPrice)>,
}

/// What a call costs, as far as it can be told.
#[derive(Debug, PartialEq)]
pub(crate) struct CostByTable {
    pub(crate) amount: Money,
    /// What has no price.
    pub(crate) unpriced: Option<Unpriced>,
}

impl CheckedPrice {
    /// Checks a price, and returns the number in it that is none of a price, if there is
    /// one.
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

    /// Whether all is known that the price depends on, of a call whose tokens are missing
    /// for this reason, if they are.
    pub(crate) fn has_required_usage(&self, usage: &Usage, missing: Option<&str>) -> bool {
        let has_tokens = usage.input.is_some() || usage.output.is_some();
        let has_units = usage.units().next().is_some();
        if self.tokens.is_some() || !self.above.is_empty() {
            // Units may stand for tokens, but none of them does not.
            return missing.is_none() && (has_tokens || has_units);
        }
        let has_price_of_unit = self.units.iter().any(Option::is_some);
        !has_price_of_unit || missing != Some("invalid") && (has_tokens || has_units)
    }

    pub(crate) fn cost(&self, usage: &Usage) -> CostByTable {
        let Some(tier) = usage.units.tier else {
            return self.standard_cost(usage);
        };
        match self.tiers.iter().find(|(known, _)| *known == tier) {
            Some((_, rate)) => rate.standard_cost(usage),
            None => CostByTable {
                unpriced: Some(Unpriced::ServiceTier),
                ..self.standard_cost(usage)
            },
        }
    }

    fn standard_cost(&self, usage: &Usage) -> CostByTable {
        let mut above = self.above.iter();
        if let Some((_, rate)) = above.find(|(input, _)| usage.input > Some(*input)) {
            return rate.standard_cost(usage);
        }
        let mut known = self.call;
        let mut lacks = None;
        if let Some(tokens) = &self.tokens {
            known += tokens.cost(usage);
            lacks = tokens
                .has_unpriced_tokens(usage)
                .then_some(Unpriced::TokenKind);
        }
        for (unit, _) in UNITS {
            let count = usage.units.get(unit).unwrap_or(0.0);
            match self.units[unit as usize] {
                Some(price) => known += Money::from_dollars(price * count).unwrap_or(Money::MAX),
                None if count > 0.0 => lacks = Some(Unpriced::Unit),
                None => {}
            }
        }
        CostByTable {
            amount: known,
            unpriced: lacks,
        }
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

    /// Returns true if there are tokens without a price that cost more than others do. Cached
    /// ones cost less.
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
            // If text is free, so is the rest.
            tokens > Some(0) && price.is_none() && others > Money::default()
        })
    }
}

/// Returns the cache writes that are not kept for an hour.
fn short_cache_write(usage: &Usage) -> Option<u64> {
    let hour = usage.cache_write_1h.unwrap_or(0);
    Some(usage.cache_write?.saturating_sub(hour))
}

/// Returns what the tokens of a direction cost, of which some have prices of their own.
fn direction_cost(all: Option<u64>, price: Money, parts: &[(Option<u64>, Option<Money>)]) -> Money {
    let mut rest = all.unwrap_or(0);
    let mut cost = Money::default();
    for (part, own) in parts {
        if let Some(own) = own {
            let part = part.unwrap_or(0).min(rest);
            rest -= part;
            cost += own.times(part);
        }
    }
    cost += price.times(rest);
    cost
}
