//! What a call costs by a price.

use std::cmp::Reverse;

use crate::llm::cost::Unpriced;
use crate::llm::cost::price::{Price, Tokens};
use crate::llm::facts::{Money, ServiceTier, UNITS, Usage};

/// A price that has been checked, by the single token.
#[derive(Debug)]
pub(crate) struct Rate {
    tokens: Option<Tokens<Money>>,
    /// In dollars, since there may be parts of a unit.
    units: [Option<f64>; UNITS.len()],
    call: Money,
    /// Above so many tokens of input, the highest step first.
    above: Vec<(u64, Rate)>,
    tiers: Vec<(ServiceTier, Rate)>,
}

/// What a call costs, as far as it can be told.
#[derive(Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) known: Money,
    /// What has no price.
    pub(crate) lacks: Option<Unpriced>,
}

impl Rate {
    /// Checks a price, and returns the number in it that is none of a price, if there is
    /// one.
    pub(crate) fn of(price: &Price) -> Result<Self, f64> {
        let money = |dollars: f64| Money::dollars(dollars).ok_or(dollars);
        let token = |dollars: f64| Money::dollars(dollars / 1e6).ok_or(dollars);
        let optional = |dollars: Option<f64>| dollars.map(token).transpose();
        let tokens = match &price.tokens {
            Some(tokens) => Some(Tokens {
                input: token(tokens.input)?,
                output: token(tokens.output)?,
                cached: optional(tokens.cached)?,
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
        let above = above.map(|(input, price)| Ok((*input, Self::of(price)?)));
        let mut above: Vec<_> = above.collect::<Result<_, f64>>()?;
        above.sort_by_key(|(input, _)| Reverse(*input));
        let tiers = price.tiers.iter();
        let tiers = tiers.map(|(tier, price)| Ok((*tier, Self::of(price)?)));
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
    pub(crate) fn is_fed(&self, usage: &Usage, missing: Option<&str>) -> bool {
        let has_tokens = usage.input.is_some() || usage.output.is_some();
        let has_units = usage.units().next().is_some();
        if self.tokens.is_some() || !self.above.is_empty() {
            // Units may stand for tokens, but none of them does not.
            return missing.is_none() && (has_tokens || has_units);
        }
        let has_price_of_unit = self.units.iter().any(Option::is_some);
        !has_price_of_unit || missing != Some("invalid") && (has_tokens || has_units)
    }

    pub(crate) fn cost(&self, usage: &Usage) -> Cost {
        let Some(tier) = usage.units.tier else {
            return self.standard_cost(usage);
        };
        match self.tiers.iter().find(|(known, _)| *known == tier) {
            Some((_, rate)) => rate.standard_cost(usage),
            None => Cost {
                lacks: Some(Unpriced::ServiceTier),
                ..self.standard_cost(usage)
            },
        }
    }

    fn standard_cost(&self, usage: &Usage) -> Cost {
        let mut above = self.above.iter();
        if let Some((_, rate)) = above.find(|(input, _)| usage.input > Some(*input)) {
            return rate.standard_cost(usage);
        }
        let mut known = self.call;
        let mut lacks = None;
        if let Some(tokens) = &self.tokens {
            known += tokens.cost(usage);
            lacks = tokens.lack(usage).then_some(Unpriced::TokenKind);
        }
        for (unit, _) in UNITS {
            let count = usage.units.get(unit).unwrap_or(0.0);
            match self.units[unit as usize] {
                Some(price) => known += Money::dollars(price * count).unwrap_or(Money::MOST),
                None if count > 0.0 => lacks = Some(Unpriced::Unit),
                None => {}
            }
        }
        Cost { known, lacks }
    }
}

impl Tokens<Money> {
    fn cost(&self, usage: &Usage) -> Money {
        let input = [
            (usage.cache_read, self.cached),
            (usage.cache_write_1h, self.cache_write_1h),
            (short_cache_write(usage), self.cache_write),
            (usage.audio_input, self.audio_input),
            (usage.image_input, self.image_input),
        ];
        let output = [
            (usage.audio_output, self.audio_output),
            (usage.image_output, self.image_output),
        ];
        let mut cost = direction(usage.input, self.input, &input);
        cost += direction(usage.output, self.output, &output);
        cost
    }

    /// Returns true if there are tokens without a price that cost more than others do. Cached
    /// ones cost less.
    fn lack(&self, usage: &Usage) -> bool {
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
fn direction(all: Option<u64>, price: Money, parts: &[(Option<u64>, Option<Money>)]) -> Money {
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
