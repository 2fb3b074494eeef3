//! The price of a model.

use crate::llm::facts::{ServiceTier, UNITS, Unit};

/// The price of a model, in US dollars.
///
/// ```
/// use tachometer::llm::{Price, Unit};
///
/// let chat = Price::per_million(1.25, 10.0).cache_read(0.125).cache_write(1.5625);
/// let rerank = Price::per_call(0.0).unit(Unit::SearchUnits, 0.002);
/// // With more than 200,000 input tokens, all tokens of the call cost more.
/// let long = Price::per_million(1.25, 10.0).above(200_000, Price::per_million(2.5, 15.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a price has no effect until it is added to a `PriceTable`"]
#[doc(alias = "cost")]
#[doc(alias = "pricing")]
pub struct Price {
    /// The prices per million tokens, or `None` if tokens are free.
    pub(crate) tokens: Option<TokenPrices<f64>>,
    pub(crate) units: [Option<f64>; UNITS.len()],
    pub(crate) call: f64,
    /// The prices of calls with more input tokens than this.
    pub(crate) above: Vec<(u64, Price)>,
    pub(crate) tiers: Vec<(ServiceTier, Price)>,
}

/// The prices of each kind of tokens. A kind without a price costs the same as the other tokens of
/// its direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TokenPrices<T> {
    pub(crate) input: T,
    pub(crate) output: T,
    pub(crate) cache_read: Option<T>,
    pub(crate) cache_write: Option<T>,
    pub(crate) cache_write_1h: Option<T>,
    pub(crate) audio_input: Option<T>,
    pub(crate) audio_output: Option<T>,
    pub(crate) image_input: Option<T>,
    pub(crate) image_output: Option<T>,
}

impl Price {
    /// Creates a price per million input tokens and per million output tokens.
    pub fn per_million(input: f64, output: f64) -> Self {
        let tokens = TokenPrices {
            input,
            output,
            cache_read: None,
            cache_write: None,
            cache_write_1h: None,
            audio_input: None,
            audio_output: None,
            image_input: None,
            image_output: None,
        };
        Self {
            tokens: Some(tokens),
            ..Self::per_call(0.0)
        }
    }

    /// Creates a price per call; tokens are free.
    pub fn per_call(call: f64) -> Self {
        Self {
            tokens: None,
            units: [None; UNITS.len()],
            call,
            above: Vec::new(),
            tiers: Vec::new(),
        }
    }

    /// Sets the price of a million input tokens that are read from a cache. Without it they cost
    /// the same as other input tokens.
    pub fn cache_read(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_read = Some(price))
    }

    /// Sets the price of a million input tokens that are written to a cache. Without it, calls
    /// with such tokens are unpriced.
    pub fn cache_write(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_write = Some(price))
    }

    /// Sets the price of a million input tokens that are written to a cache for an hour.
    /// Without it, calls with such tokens are unpriced.
    pub fn cache_write_1h(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_write_1h = Some(price))
    }

    /// Sets the price of a million audio input tokens. Without it, calls with such tokens are
    /// unpriced.
    pub fn audio_input(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.audio_input = Some(price))
    }

    /// Sets the price of a million audio output tokens. Without it, calls with such tokens are
    /// unpriced.
    pub fn audio_output(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.audio_output = Some(price))
    }

    /// Sets the price of a million image input tokens. Without it, calls with such tokens are
    /// unpriced. Only image generation reports them; images in a chat
    /// cost the same as its text.
    pub fn image_input(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.image_input = Some(price))
    }

    /// Sets the price of a million image output tokens. Without it, calls with such tokens are
    /// unpriced.
    pub fn image_output(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.image_output = Some(price))
    }

    /// Sets the price of one unit, such as a second of audio. It is added to the price of the
    /// tokens.
    pub fn unit(mut self, unit: Unit, price: f64) -> Self {
        self.units[unit as usize] = Some(price);
        self
    }

    /// Sets the price of each call. It is added to the price of tokens and units.
    pub fn call(self, call: f64) -> Self {
        Self { call, ..self }
    }

    /// Sets another price for calls with more than `input` input tokens. It applies to all
    /// tokens of such a call. If there are several thresholds, the highest one that the call
    /// exceeds applies.
    pub fn above(mut self, input: u64, price: Self) -> Self {
        self.above.retain(|(threshold, _)| *threshold != input);
        self.above.push((input, price));
        self
    }

    /// Sets the price of calls in a [`ServiceTier`] other than the standard one. Without it, such
    /// calls are unpriced.
    ///
    /// ```
    /// use tachometer::llm::{Price, ServiceTier};
    ///
    /// let price = Price::per_million(1.25, 10.0)
    ///     .tier(ServiceTier::Flex, Price::per_million(0.625, 5.0))
    ///     .tier(ServiceTier::Priority, Price::per_million(2.5, 20.0));
    /// ```
    pub fn tier(mut self, tier: ServiceTier, price: Self) -> Self {
        self.tiers.retain(|(priced, _)| *priced != tier);
        self.tiers.push((tier, price));
        self
    }

    fn with_tokens(mut self, set: impl FnOnce(&mut TokenPrices<f64>)) -> Self {
        if let Some(tokens) = &mut self.tokens {
            set(tokens);
        }
        self
    }
}
