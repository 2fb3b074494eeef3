//! What a call costs by a price.

use std::cmp::Reverse;

use crate::llm::cost::money::Money;
use crate::llm::cost::price::{Price, Tokens};
use crate::llm::usage::{UNITS, Usage};

/// A price that has been checked, by the single token.
#[derive(Debug)]
pub(super) struct Rate {
    tokens: Option<Tokens<Money>>,
    /// In dollars, since there may be parts of a unit.
    units: [Option<f64>; UNITS.len()],
    call: Money,
    /// Above so many tokens of input, the highest step first.
    above: Vec<(u64, Rate)>,
}

/// What a call costs, as far as it can be told.
#[derive(Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) known: Money,
    /// Whether something has no price that is billed besides tokens.
    pub(super) lacks_unit: bool,
}

impl Rate {
    /// Checks a price, and returns the number in it that is none of a price, if there is
    /// one.
    pub(super) fn of(price: &Price) -> Result<Self, f64> {
        let money = |dollars: f64| Money::dollars(dollars).ok_or(dollars);
        let token = |dollars: f64| Money::dollars(dollars / 1e6).ok_or(dollars);
        let optional = |dollars: Option<f64>| dollars.map(token).transpose();
        let tokens = match &price.tokens {
            Some(tokens) => Some(Tokens {
                input: token(tokens.input)?,
                output: token(tokens.output)?,
                cached: optional(tokens.cached)?,
                cache_write: optional(tokens.cache_write)?,
                audio_input: optional(tokens.audio_input)?,
                audio_output: optional(tokens.audio_output)?,
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
        Ok(Self {
            tokens,
            units: price.units,
            call: money(price.call)?,
            above,
        })
    }

    /// Whether all is known that the price depends on, of a call whose tokens are missing
    /// for this reason, if they are.
    pub(super) fn is_fed(&self, usage: &Usage, missing: Option<&str>) -> bool {
        let has_tokens = usage.input.is_some() || usage.output.is_some();
        let has_units = usage.units().next().is_some();
        if self.tokens.is_some() || !self.above.is_empty() {
            // Units may stand for tokens, but none of them does not.
            return missing.is_none() && (has_tokens || has_units);
        }
        let has_price_of_unit = self.units.iter().any(Option::is_some);
        !has_price_of_unit || missing != Some("invalid") && (has_tokens || has_units)
    }

    pub(super) fn cost(&self, usage: &Usage) -> Cost {
        let mut above = self.above.iter();
        if let Some((_, rate)) = above.find(|(input, _)| usage.input > Some(*input)) {
            return rate.cost(usage);
        }
        let mut known = self.call;
        if let Some(tokens) = &self.tokens {
            known += tokens.cost(usage);
        }
        let mut lacks_unit = false;
        for (unit, _) in UNITS {
            let count = usage.count(unit).unwrap_or(0.0);
            match self.units[unit as usize] {
                Some(price) => known += Money::dollars(price * count).unwrap_or(Money::MOST),
                None => lacks_unit |= count > 0.0,
            }
        }
        Cost { known, lacks_unit }
    }
}

impl Tokens<Money> {
    fn cost(&self, usage: &Usage) -> Money {
        let input = [
            (usage.cache_read, self.cached),
            (usage.cache_write, self.cache_write),
            (usage.audio_input, self.audio_input),
        ];
        let output = [(usage.audio_output, self.audio_output)];
        let mut cost = direction(usage.input, self.input, &input);
        cost += direction(usage.output, self.output, &output);
        cost
    }
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
