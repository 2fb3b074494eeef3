//! The prices of many models.

use std::collections::HashMap;
use std::fmt;

use crate::error::Error;
use crate::llm::cost::checked_price::CheckedPrice;
use crate::llm::cost::price::Price;
use crate::llm::cost::spelling::{is_version_of, spellings, unversioned};

/// The prices of models, by name.
///
/// The table contains only your prices: prices change, and customers pay different ones. A call
/// of a model without a price is counted in `llm_unpriced_requests_total`.
///
/// # Which price a model has
///
/// The first of these that is in the table:
///
/// 1. Its exact name. Upper and lower case differ.
/// 2. Its name without the version at the end. Versions are:
///    - a date or a month: `-2024-08-06`, `-20250514`, `-2411`, `@20250514`
///    - a revision or a release: `-001`, `@001`, `-v2`, `-v1:0`
///    - a variant: `-latest`, `@latest`, `:latest`, `@default`, `:0`, `:free`, `:nitro`, `:floor`
///
///    A name can have several of them, as `-20250514-v1:0`. The longest name wins.
/// 3. The longest prefix of its name, if you gave [prefixes](Self::model_prefix) a price.
///
/// Any other name is another model. `gpt-4o` is not the price of `gpt-4o-mini` or
/// `gpt-4o-realtime-preview`, and `claude-sonnet-4` is not that of `claude-sonnet-4-5`. A
/// month and a day (`-0613`, `-05-20`) are not a version either: names that differ in them
/// often have different prices. Give such a model its own entry.
///
/// Each step tries the name as it is, then without the region of Amazon Bedrock (`us.`,
/// `eu.`, `apac.`, `global.` and the others), then without the publisher (`anthropic.`,
/// `openai/`, `models/`, `publishers/anthropic/models/`). So `claude-sonnet-4` is the price
/// of `us.anthropic.claude-sonnet-4-20250514-v1:0`, too. If a region or a variant costs
/// something else, add an entry with its exact name.
///
/// ```
/// use tachometer::LlmLayer;
/// use tachometer::llm::{Price, PriceTable};
///
/// let prices = PriceTable::new()
///     .model("gpt-x", Price::per_million(1.25, 10.0).cache_read(0.125))
///     .model("gpt-x-mini", Price::per_million(0.25, 2.0).cache_read(0.025))
///     .model_at("azure.ai.openai", "gpt-x", Price::per_million(1.375, 11.0))
///     .model_prefix("llama", Price::per_million(0.0, 0.0));
/// let layer = LlmLayer::new().prices(prices);
/// ```
#[derive(Clone, Default)]
#[must_use = "a table has no effect until it is given to a layer"]
pub struct PriceTable {
    models: PricesByName<Price>,
    prefixes: PricesByName<Price>,
}

/// A table of validated prices.
#[derive(Debug, Default)]
pub(crate) struct CheckedPriceTable {
    models: PricesByName<CheckedPrice>,
    prefixes: PricesByName<CheckedPrice>,
}

/// The prices by model name or prefix.
type PricesByName<P> = HashMap<Box<str>, Vec<PriceEntry<P>>>;

/// The price of a model, at one provider or at any.
#[derive(Debug, Clone)]
struct PriceEntry<P> {
    provider: Option<Box<str>>,
    price: P,
}

impl fmt::Debug for PriceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceTable")
            .field("models", &self.models.len())
            .field("prefixes", &self.prefixes.len())
            .finish()
    }
}

impl PriceTable {
    /// Creates an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the price of a model at every provider. A second price for the same name
    /// replaces the first.
    pub fn model(mut self, model: impl Into<Box<str>>, price: Price) -> Self {
        set_price(&mut self.models, None, model.into(), price);
        self
    }

    /// Sets the price of a model at one provider. It goes before the price that the same
    /// name has at every provider.
    pub fn model_at(
        mut self,
        provider: impl Into<Box<str>>,
        model: impl Into<Box<str>>,
        price: Price,
    ) -> Self {
        set_price(&mut self.models, Some(provider.into()), model.into(), price);
        self
    }

    /// Sets the price of every model whose name starts with `prefix` and has no entry.
    ///
    /// `gpt-4o` as a prefix is the price of `gpt-4o-mini`, too. Use it for models that cost
    /// the same whatever follows, such as those you run yourself.
    pub fn model_prefix(mut self, prefix: impl Into<Box<str>>, price: Price) -> Self {
        set_price(&mut self.prefixes, None, prefix.into(), price);
        self
    }

    /// Sets the price of every model at one provider whose name starts with `prefix` and
    /// has no entry. It goes before the price that the same prefix has at every provider.
    pub fn model_prefix_at(
        mut self,
        provider: impl Into<Box<str>>,
        prefix: impl Into<Box<str>>,
        price: Price,
    ) -> Self {
        set_price(
            &mut self.prefixes,
            Some(provider.into()),
            prefix.into(),
            price,
        );
        self
    }

    /// Validates the prices.
    pub(crate) fn check(&self) -> Result<CheckedPriceTable, Error> {
        Ok(CheckedPriceTable {
            models: check_prices(&self.models)?,
            prefixes: check_prices(&self.prefixes)?,
        })
    }
}

fn set_price(
    names: &mut PricesByName<Price>,
    provider: Option<Box<str>>,
    name: Box<str>,
    price: Price,
) {
    let entries = names.entry(name).or_default();
    entries.retain(|entry| entry.provider != provider);
    entries.push(PriceEntry { provider, price });
}

fn check_prices(names: &PricesByName<Price>) -> Result<PricesByName<CheckedPrice>, Error> {
    let mut rates = HashMap::with_capacity(names.len());
    for (name, entries) in names {
        let entries = entries.iter().map(|entry| {
            let price = CheckedPrice::new(&entry.price).map_err(|number| {
                Error::invalid_price(format_args!(
                    "the price {number} of the model {name:?} is invalid: use US dollars from 0 \
                     to a million"
                ))
            })?;
            let provider = entry.provider.clone();
            Ok::<_, Error>(PriceEntry { provider, price })
        });
        rates.insert(name.clone(), entries.collect::<Result<_, _>>()?);
    }
    Ok(rates)
}

impl CheckedPriceTable {
    /// Returns the price of the model that answered, or else of the one that was requested,
    /// unless the answer shows that it is another one.
    pub(crate) fn find(&self, provider: &str, models: [Option<&str>; 2]) -> Option<&CheckedPrice> {
        let [answered, requested] = models;
        let is_other = |requested: &&str| is_other_model(answered, requested);
        let models = [answered, requested.filter(|requested| !is_other(requested))];
        let mut models = models.into_iter().flatten();
        models.find_map(|model| self.price(provider, model))
    }

    fn price(&self, provider: &str, model: &str) -> Option<&CheckedPrice> {
        let exact = spellings(model).find_map(|name| find_price(&self.models, provider, name));
        let of_any_version = || {
            let mut names = spellings(model).flat_map(unversioned);
            names.find_map(|name| find_price(&self.models, provider, name))
        };
        let of_prefix = || spellings(model).find_map(|name| self.longest_prefix(provider, name));
        exact.or_else(of_any_version).or_else(of_prefix)
    }

    fn longest_prefix(&self, provider: &str, name: &str) -> Option<&CheckedPrice> {
        let listed = self
            .prefixes
            .keys()
            .filter(|prefix| name.starts_with(&***prefix));
        let listed = listed.filter_map(|prefix| {
            let rate = find_price(&self.prefixes, provider, prefix)?;
            Some((prefix.len(), rate))
        });
        let longest = listed.max_by_key(|(length, _)| *length);
        longest.map(|(_, rate)| rate)
    }
}

/// Returns true if the model that answered is another variant of the requested one, as
/// `gpt-x-mini` is of `gpt-x`. If it has an entirely different name, the requested one may be an
/// alias for it.
fn is_other_model(answered: Option<&str>, requested: &str) -> bool {
    let Some(answered) = answered else {
        return false;
    };
    let is_variant = |name: &str| {
        let rest = name.strip_prefix(requested);
        rest.is_some_and(|rest| rest.contains(char::is_alphabetic))
    };
    spellings(answered).any(is_variant) && !is_version_of(answered, requested)
}

/// Returns the price of a name at a provider, or else at every provider.
fn find_price<'a>(
    names: &'a PricesByName<CheckedPrice>,
    provider: &str,
    name: &str,
) -> Option<&'a CheckedPrice> {
    let entries = names.get(name)?;
    let of = |provider: Option<&str>| {
        let mut entries = entries.iter();
        entries.find(|entry| entry.provider.as_deref() == provider)
    };
    let entry = of(Some(provider)).or_else(|| of(None))?;
    Some(&entry.price)
}
