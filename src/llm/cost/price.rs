//! What models cost, as the user says.

use crate::llm::facts::{ServiceTier, UNITS, Unit};

/// What a model costs, in US dollars.
///
/// ```
/// use tachometer::llm::{Price, Unit};
///
/// let chat = Price::per_million(1.25, 10.0).cache_read(0.125).cache_write(1.5625);
/// let rerank = Price::per_call(0.0).unit(Unit::SearchUnits, 0.002);
/// // From a prompt of 200,001 tokens on, all of the call costs more.
/// let long = Price::per_million(1.25, 10.0).above(200_000, Price::per_million(2.5, 15.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it is to be put into a table"]
pub struct Price {
    /// What a million tokens cost, unless they cost nothing.
    pub(crate) tokens: Option<TokenPrices<f64>>,
    pub(crate) units: [Option<f64>; UNITS.len()],
    pub(crate) call: f64,
    /// Above so many tokens of input, another price.
    pub(crate) above: Vec<(u64, Price)>,
    pub(crate) tiers: Vec<(ServiceTier, Price)>,
}

/// A price for each kind of tokens. Those without one are counted at the price of their
/// direction.
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
    /// A million tokens of input, and of output, cost so much.
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

    /// Each call costs so much, and its tokens nothing.
    pub fn per_call(call: f64) -> Self {
        Self {
            tokens: None,
            units: [None; UNITS.len()],
            call,
            above: Vec::new(),
            tiers: Vec::new(),
        }
    }

    /// The price of a million input tokens that come from a cache. Without it they cost what
    /// other input does.
    pub fn cache_read(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_read = Some(price))
    }

    /// The price of a million input tokens that are written to a cache. Without it, calls with
    /// such tokens are unpriced.
    pub fn cache_write(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_write = Some(price))
    }

    /// The price of a million input tokens that are written to a cache for an hour. Without
    /// it, calls with such tokens are unpriced.
    pub fn cache_write_1h(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.cache_write_1h = Some(price))
    }

    /// The price of a million input tokens of audio. Without it, calls with such tokens are
    /// unpriced.
    pub fn audio_input(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.audio_input = Some(price))
    }

    /// The price of a million output tokens of audio. Without it, calls with such tokens are
    /// unpriced.
    pub fn audio_output(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.audio_output = Some(price))
    }

    /// The price of a million input tokens of images. Without it, calls with such tokens are
    /// unpriced. Only image generation has them: a chat's images cost what its text does.
    pub fn image_input(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.image_input = Some(price))
    }

    /// The price of a million output tokens of images. Without it, calls with such tokens are
    /// unpriced.
    pub fn image_output(self, price: f64) -> Self {
        self.with_tokens(|tokens| tokens.image_output = Some(price))
    }

    /// One unit, such as a second of sound, costs so much besides.
    pub fn unit(mut self, unit: Unit, price: f64) -> Self {
        self.units[unit as usize] = Some(price);
        self
    }

    /// Each call costs so much besides.
    pub fn call(self, call: f64) -> Self {
        Self { call, ..self }
    }

    /// A call with more tokens of input than this has another price, for all of its tokens.
    /// Of several such steps, the highest one that the call is above counts.
    pub fn above(mut self, input: u64, price: Self) -> Self {
        self.above.retain(|(own, _)| *own != input);
        self.above.push((input, price));
        self
    }

    /// The price of a call that another tier of service served. Without it, such calls are
    /// unpriced.
    ///
    /// ```
    /// use tachometer::llm::{Price, ServiceTier};
    ///
    /// let price = Price::per_million(1.25, 10.0)
    ///     .tier(ServiceTier::Flex, Price::per_million(0.625, 5.0))
    ///     .tier(ServiceTier::Priority, Price::per_million(2.5, 20.0));
    /// ```
    pub fn tier(mut self, tier: ServiceTier, price: Self) -> Self {
        self.tiers.retain(|(known, _)| *known != tier);
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
