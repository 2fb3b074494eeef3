//! The prices of many models.

use std::collections::HashMap;

use crate::error::Error;
use crate::llm::cost::price::Price;
use crate::llm::cost::rate::Rate;

/// What models cost, by their names.
///
/// A model that is not in it has the price of the one whose name is the longest beginning
/// of its own, up to a sign that is neither a letter, a digit nor a point: `gpt-x` is the
/// price of `gpt-x-2026-01-01` and of `gpt-x:free`, too, and none of `gpt-x2` or `gpt-x.5`.
/// It would be that of `gpt-x-mini`, which costs less, so what is called is to be in the
/// table by its own name. There are no prices but those that it is given: they change, and
/// who pays has others than who does not.
///
/// ```
/// use tachometer::LlmLayer;
/// use tachometer::llm::{Price, PriceTable};
///
/// let prices = PriceTable::new()
///     .model("gpt-x", Price::per_million(1.25, 10.0).cached(0.125))
///     .model("gpt-x-mini", Price::per_million(0.25, 2.0).cached(0.025))
///     .model_at("azure.ai.openai", "gpt-x", Price::per_million(1.375, 11.0))
///     .model("llama", Price::per_million(0.0, 0.0));
/// let layer = LlmLayer::new().prices(prices);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "it is to be given to a layer"]
pub struct PriceTable(HashMap<Box<str>, Vec<Entry<Price>>>);

/// The price of a model, at one provider or at any.
#[derive(Debug, Clone)]
struct Entry<P> {
    provider: Option<Box<str>>,
    price: P,
}

/// A table whose prices have been checked.
#[derive(Debug, Default)]
pub(crate) struct Rates(HashMap<Box<str>, Vec<Entry<Rate>>>);

impl PriceTable {
    /// Makes a table without prices, by which every call is one without.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a model its price, whoever provides it. Of several, the last counts.
    pub fn model(self, model: impl Into<Box<str>>, price: Price) -> Self {
        self.add(None, model.into(), price)
    }

    /// Gives a model its price at one provider, which goes before the one that the same
    /// name has elsewhere.
    pub fn model_at(
        self,
        provider: impl Into<Box<str>>,
        model: impl Into<Box<str>>,
        price: Price,
    ) -> Self {
        self.add(Some(provider.into()), model.into(), price)
    }

    fn add(mut self, provider: Option<Box<str>>, model: Box<str>, price: Price) -> Self {
        let entries = self.0.entry(model).or_default();
        entries.retain(|entry| entry.provider != provider);
        entries.push(Entry { provider, price });
        self
    }

    /// Checks the prices.
    pub(crate) fn rates(&self) -> Result<Rates, Error> {
        let mut rates = HashMap::with_capacity(self.0.len());
        for (model, entries) in &self.0 {
            let entries = entries.iter().map(|entry| {
                let price = Rate::of(&entry.price).map_err(|number| {
                    Error::invalid_price(format_args!(
                        "{number} is no price of the model {model:?}: give it one in US \
                         dollars, from 0 to a million"
                    ))
                })?;
                let provider = entry.provider.clone();
                Ok::<_, Error>(Entry { provider, price })
            });
            rates.insert(model.clone(), entries.collect::<Result<_, _>>()?);
        }
        Ok(Rates(rates))
    }
}

impl Rates {
    /// Returns the price of the first of these models that has one: of its own name, or else
    /// of the longest one that its name begins with.
    pub(super) fn find(&self, provider: &str, models: [Option<&str>; 2]) -> Option<&Rate> {
        models.into_iter().flatten().find_map(|model| {
            let exact = self.named(provider, model);
            exact.or_else(|| self.begun(provider, model))
        })
    }

    fn named(&self, provider: &str, model: &str) -> Option<&Rate> {
        let entries = self.0.get(model)?;
        let at = |own: Option<&str>| {
            let mut entries = entries.iter();
            entries.find(|entry| entry.provider.as_deref() == own)
        };
        let entry = at(Some(provider)).or_else(|| at(None))?;
        Some(&entry.price)
    }

    fn begun(&self, provider: &str, model: &str) -> Option<&Rate> {
        let goes_on = |letter: char| letter.is_alphanumeric() || letter == '.';
        let ends = model
            .char_indices()
            .rev()
            .filter(|(_, letter)| !goes_on(*letter));
        // Before the sign, or after it, where the name in the table ends with one.
        let ends = ends.flat_map(|(at, sign)| [at + sign.len_utf8(), at]);
        ends.into_iter()
            .find_map(|end| self.named(provider, &model[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::cost::money::Money;
    use crate::llm::usage::{Unit, Usage};

    /// Whose price a model has, which is told by its number.
    fn found(provider: &str, models: [Option<&str>; 2]) -> Option<Money> {
        let price = |number| Price::per_call(number);
        let table = PriceTable::new()
            .model("gpt-x", price(1.0))
            .model("gpt-x-mini", price(2.0))
            .model_at("azure", "gpt-x", price(3.0))
            .model("meta/", price(4.0))
            .model("über", price(5.0))
            .model_at("elsewhere", "only", price(6.0));
        let rates = table.rates().unwrap();
        let rate = rates.find(provider, models)?;
        Some(rate.cost(&Usage::new()).known)
    }

    #[test]
    fn a_model_has_the_price_of_its_name_or_else_of_its_longest_beginning() {
        for (provider, models, expected) in [
            ("openai", [Some("gpt-x"), None], Some(1.0)),
            ("openai", [Some("gpt-x-2026-01-01"), None], Some(1.0)),
            ("openai", [Some("gpt-x:free"), None], Some(1.0)),
            ("openai", [Some("gpt-x-mini-2026"), None], Some(2.0)),
            ("openai", [Some("gpt-x2"), None], None),
            ("openai", [Some("gpt-x.5"), None], None),
            ("openai", [Some("gpt-"), None], None),
            ("openai", [Some(""), None], None),
            ("openai", [None, None], None),
            ("azure", [Some("gpt-x"), None], Some(3.0)),
            ("azure", [Some("gpt-x-mini"), None], Some(2.0)),
            ("azure", [Some("gpt-x-2026"), None], Some(3.0)),
            ("openai", [Some("meta/llama"), None], Some(4.0)),
            // Who answered goes first, though it be by the beginning of its name.
            ("openai", [Some("über-1"), Some("gpt-x")], Some(5.0)),
            ("openai", [Some("unknown"), Some("gpt-x-2")], Some(1.0)),
            ("openai", [Some("über-1"), None], Some(5.0)),
            ("openai", [Some("überü"), None], None),
            ("openai", [Some("only"), None], None),
            ("elsewhere", [Some("only-2"), None], Some(6.0)),
        ] {
            let expected = expected.map(|dollars| Money::dollars(dollars).unwrap());
            assert_eq!(found(provider, models), expected, "{provider} {models:?}");
        }
    }

    #[test]
    fn a_number_that_is_no_price_is_refused_and_named() {
        for price in [
            Price::per_million(-1.0, 0.0),
            Price::per_million(0.0, f64::NAN),
            Price::per_million(0.0, 0.0).cached(f64::INFINITY),
            Price::per_call(1e7),
            Price::per_call(0.0).unit(Unit::Images, -0.5),
            Price::per_million(0.0, 0.0).above(1, Price::per_call(-2.0)),
        ] {
            let error = PriceTable::new().model("m", price).rates().unwrap_err();
            assert!(error.is_invalid_price(), "{error}");
            assert!(error.to_string().contains("\"m\""), "{error}");
        }
    }
}
