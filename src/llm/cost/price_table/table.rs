//! A table of prices by model.

use std::collections::HashMap;
use std::fmt;

use crate::error::Error;
use crate::llm::cost::checked_price::CheckedPrice;
use crate::llm::cost::price::Price;
use crate::llm::cost::spelling::{is_version_of, spellings, unversioned};

/// The prices of models, by name.
///
/// The crate contains no prices, because they change and differ between customers. A call of a
/// model without a price is counted in `llm_unpriced_requests_total`.
///
/// # Matching
///
/// The price of a model is the first of these that is in the table:
///
/// 1. The price of its exact name. Names are case-sensitive.
/// 2. The price of its name without the version at the end. Versions are:
///    - a date or a month: `-2024-08-06`, `-20250514`, `-2411`, `@20250514`
///    - a revision, with or without a release: `-001`, `@001`, `:0`, `-v1:0`
///    - a variant: `-latest`, `@latest`, `:latest`, `@default`, `:free`, `:nitro`, `:floor`
///
///    A name can have several of them, such as `-20250514-v1:0`. The longest name takes precedence.
/// 3. The price of the longest [prefix](Self::model_prefix) of its name.
///
/// Any other name is a different model. The price of `gpt-4o` does not apply to `gpt-4o-mini` or
/// `gpt-4o-realtime-preview`, and the price of `claude-sonnet-4` does not apply to
/// `claude-sonnet-4-5`. A month and a day (`-0613`, `-05-20`) are not a version, because names that
/// differ in them often have different prices. Add an entry for each such model.
///
/// Each step tries the name in full, then without the region of Amazon Bedrock (`us.`, `eu.`,
/// `apac.`, `global.` and others), then without the publisher (`anthropic.`, `openai/`, `models/`,
/// `publishers/anthropic/models/`). So the price of `claude-sonnet-4` also applies to
/// `us.anthropic.claude-sonnet-4-20250514-v1:0`. If a region or a variant has a different price,
/// add an entry with its exact name.
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
#[must_use = "a table has no effect until it is passed to `LlmLayer::prices`"]
#[doc(alias = "cost")]
#[doc(alias = "pricing")]
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

/// The price of a model, for one provider or for all.
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

    /// Sets the price of a model for all providers. A second price for the same name replaces the
    /// first.
    pub fn model(mut self, model: impl Into<Box<str>>, price: Price) -> Self {
        set_price(&mut self.models, None, model.into(), price);
        self
    }

    /// Sets the price of a model for one provider. It takes precedence over the price of the same
    /// name for all providers.
    pub fn model_at(
        mut self,
        provider: impl Into<Box<str>>,
        model: impl Into<Box<str>>,
        price: Price,
    ) -> Self {
        set_price(&mut self.models, Some(provider.into()), model.into(), price);
        self
    }

    /// Sets the price of all models that have no entry and a name that starts with `prefix`.
    ///
    /// The prefix `gpt-4o` also applies to `gpt-4o-mini`. Use prefixes for models of the same
    /// price, such as those that you run yourself.
    pub fn model_prefix(mut self, prefix: impl Into<Box<str>>, price: Price) -> Self {
        set_price(&mut self.prefixes, None, prefix.into(), price);
        self
    }

    /// Sets the price of all models of one provider whose name starts with `prefix` and has no entry
    /// of its own. It takes precedence over the price of the same prefix for all providers.
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
    let mut checked = HashMap::with_capacity(names.len());
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
        checked.insert(name.clone(), entries.collect::<Result<_, _>>()?);
    }
    Ok(checked)
}

impl CheckedPriceTable {
    /// Returns the price of the response's model, or else of the requested model, unless the
    /// response's model is a different variant of it.
    pub(crate) fn find(&self, provider: &str, models: [Option<&str>; 2]) -> Option<&CheckedPrice> {
        let [response_model, requested] = models;
        let is_other = |requested: &&str| is_other_model(response_model, requested);
        let models = [
            response_model,
            requested.filter(|requested| !is_other(requested)),
        ];
        let mut models = models.into_iter().flatten();
        models.find_map(|model| self.price(provider, model))
    }

    fn price(&self, provider: &str, model: &str) -> Option<&CheckedPrice> {
        let exact = spellings(model).find_map(|name| find_price(&self.models, provider, name));
        let by_version = || {
            let mut names = spellings(model).flat_map(unversioned);
            names.find_map(|name| find_price(&self.models, provider, name))
        };
        let by_prefix = || spellings(model).find_map(|name| self.longest_prefix(provider, name));
        exact.or_else(by_version).or_else(by_prefix)
    }

    fn longest_prefix(&self, provider: &str, name: &str) -> Option<&CheckedPrice> {
        let prefixes = self
            .prefixes
            .keys()
            .filter(|prefix| name.starts_with(&***prefix));
        let prices = prefixes.filter_map(|prefix| {
            let price = find_price(&self.prefixes, provider, prefix)?;
            Some((prefix.len(), price))
        });
        let longest = prices.max_by_key(|(length, _)| *length);
        longest.map(|(_, price)| price)
    }
}

/// Returns true if the response's model is a different variant of the requested one, such as
/// `gpt-x-mini` for `gpt-x`. If the names are unrelated, the requested one may be an alias.
fn is_other_model(response_model: Option<&str>, requested: &str) -> bool {
    let Some(response_model) = response_model else {
        return false;
    };
    let is_variant = |name: &str| {
        let suffix = name.strip_prefix(requested);
        suffix.is_some_and(|suffix| suffix.contains(char::is_alphabetic))
    };
    spellings(response_model).any(is_variant) && !is_version_of(response_model, requested)
}

/// Returns the price of a name for a provider, or else for all providers.
fn find_price<'a>(
    names: &'a PricesByName<CheckedPrice>,
    provider: &str,
    name: &str,
) -> Option<&'a CheckedPrice> {
    let entries = names.get(name)?;
    let entry_for = |provider: Option<&str>| {
        let mut entries = entries.iter();
        entries.find(|entry| entry.provider.as_deref() == provider)
    };
    let entry = entry_for(Some(provider)).or_else(|| entry_for(None))?;
    Some(&entry.price)
}
