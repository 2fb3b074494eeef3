//! The tokens and other billed units of one call.

use crate::llm::facts::{ServiceTier, UNITS, Unit, Units};

/// The tokens that a call used, as far as they are known.
///
/// Input includes cache reads and cache writes, and output includes reasoning: the details are
/// parts of the two and are not added to them. A part that is greater than its whole is reduced
/// to it, and the call is counted in `llm_usage_missing_total` with the reason `inconsistent`. A
/// count above 2^40 is ignored.
///
/// ```
/// use tachometer::llm::Usage;
///
/// let usage = Usage::new().input(1_200).output(80).cache_read(1_024);
/// # assert_ne!(usage, Usage::new());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[must_use = "a usage has no effect until it is passed to `LlmCall::set_usage`"]
#[doc(alias = "token usage")]
#[doc(alias = "tokens")]
pub struct Usage {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) cache_write_1h: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    pub(crate) audio_input: Option<u64>,
    pub(crate) audio_output: Option<u64>,
    pub(crate) image_input: Option<u64>,
    pub(crate) image_output: Option<u64>,
    pub(crate) units: Units,
}

/// The greatest plausible count of tokens.
pub(crate) const MAX_TOKENS: u64 = 1 << 40;

impl Usage {
    /// Creates a usage without known counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets all input tokens, including cached ones.
    pub fn input(self, tokens: u64) -> Self {
        Self {
            input: Some(tokens),
            ..self
        }
    }

    /// Sets all output tokens, including reasoning.
    pub fn output(self, tokens: u64) -> Self {
        Self {
            output: Some(tokens),
            ..self
        }
    }

    /// Sets the input tokens that were read from a cache.
    pub fn cache_read(self, tokens: u64) -> Self {
        Self {
            cache_read: Some(tokens),
            ..self
        }
    }

    /// Sets the input tokens that were written to a cache, for any lifetime.
    pub fn cache_write(self, tokens: u64) -> Self {
        Self {
            cache_write: Some(tokens),
            ..self
        }
    }

    /// Sets the input tokens that were written to a cache for an hour. They are part of
    /// [`cache_write`](Self::cache_write).
    pub fn cache_write_1h(self, tokens: u64) -> Self {
        Self {
            cache_write_1h: Some(tokens),
            ..self
        }
    }

    /// Sets the output tokens that the model used for reasoning.
    pub fn reasoning(self, tokens: u64) -> Self {
        Self {
            reasoning: Some(tokens),
            ..self
        }
    }

    /// Sets the audio input tokens.
    pub fn audio_input(self, tokens: u64) -> Self {
        Self {
            audio_input: Some(tokens),
            ..self
        }
    }

    /// Sets the audio output tokens.
    pub fn audio_output(self, tokens: u64) -> Self {
        Self {
            audio_output: Some(tokens),
            ..self
        }
    }

    /// Sets the image input tokens.
    pub fn image_input(self, tokens: u64) -> Self {
        Self {
            image_input: Some(tokens),
            ..self
        }
    }

    /// Sets the image output tokens.
    pub fn image_output(self, tokens: u64) -> Self {
        Self {
            image_output: Some(tokens),
            ..self
        }
    }

    /// Sets the count of a billed unit. A count that is negative, not a number, or more than
    /// 1,000,000,000 is ignored.
    pub fn billed(mut self, unit: Unit, count: f64) -> Self {
        self.units.set(unit, count);
        self
    }

    /// Sets the service tier of the call.
    pub fn service_tier(mut self, tier: ServiceTier) -> Self {
        self.units.tier = Some(tier);
        self
    }

    /// Returns the usage without implausible counts, and whether there were any.
    pub(crate) fn discard_invalid(mut self) -> (Self, bool) {
        let mut is_invalid = false;
        for count in self.counts_mut() {
            if count.is_some_and(|tokens| tokens > MAX_TOKENS) {
                *count = None;
                is_invalid = true;
            }
        }
        (self, is_invalid)
    }

    /// Returns true if the call is known to have used no tokens and no units.
    pub(crate) fn is_zero(&self) -> bool {
        let has_no_tokens = self.input == Some(0) && self.output == Some(0);
        has_no_tokens && self.units().next().is_none()
    }

    /// Returns false if a part is greater than its whole.
    pub(crate) fn is_consistent(&self) -> bool {
        let fits = |parts: &[Option<u64>], whole: Option<u64>| {
            let parts: u64 = parts.iter().flatten().sum();
            whole.is_none_or(|whole| parts <= whole)
        };
        fits(&[self.cache_read, self.cache_write], self.input)
            && fits(&[self.cache_write_1h], self.cache_write)
            && fits(&[self.audio_input, self.image_input], self.input)
            && fits(&[self.reasoning], self.output)
            && fits(&[self.audio_output, self.image_output], self.output)
    }

    /// Returns the known units that are not 0, by name.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let count = |(unit, name): (Unit, _)| Some((name, self.units.get(unit)?));
        let tier = self.units.tier.map(|tier| (tier.unit_name(), 1.0));
        UNITS
            .into_iter()
            .filter_map(count)
            .filter(|(_, count)| *count > 0.0)
            .chain(tier)
    }

    /// Returns true if the call is billed by units instead of tokens. Searches and other tools are
    /// billed in addition to tokens, so they do not count.
    pub(crate) fn is_billed_by_units(&self) -> bool {
        let has = |unit| self.units.get(unit).is_some();
        let has_tokens = self.input.is_some() || self.output.is_some();
        !has_tokens
            && [Unit::AudioSeconds, Unit::Images, Unit::SearchUnits]
                .into_iter()
                .any(has)
    }

    /// Returns the token details by kind, such as `cache_read` or `reasoning`, if they are not 0. A
    /// detail of the input is never greater than the input, nor one of the output than the output.
    pub(crate) fn details(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let part = |kind, part: Option<u64>, whole: Option<u64>| {
            (kind, part.unwrap_or(0).min(whole.unwrap_or(u64::MAX)))
        };
        [
            part("cache_read", self.cache_read, self.input),
            part("cache_write", self.cache_write, self.input),
            part("cache_write_1h", self.cache_write_1h, self.cache_write),
            part("reasoning", self.reasoning, self.output),
            part("audio_input", self.audio_input, self.input),
            part("audio_output", self.audio_output, self.output),
            part("image_input", self.image_input, self.input),
            part("image_output", self.image_output, self.output),
        ]
        .into_iter()
        .filter(|(_, tokens)| *tokens > 0)
    }

    fn counts_mut(&mut self) -> [&mut Option<u64>; 10] {
        [
            &mut self.input,
            &mut self.output,
            &mut self.cache_read,
            &mut self.cache_write,
            &mut self.cache_write_1h,
            &mut self.reasoning,
            &mut self.audio_input,
            &mut self.audio_output,
            &mut self.image_input,
            &mut self.image_output,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_count_of_units_is_ignored() {
        let usage = Usage::new()
            .billed(Unit::AudioSeconds, f64::NAN)
            .billed(Unit::Images, -1.0)
            .billed(Unit::SearchUnits, 1e300);
        assert!(usage.units().next().is_none());
        let usage = usage
            .billed(Unit::WebSearches, 0.0)
            .billed(Unit::SearchUnits, 2.0);
        assert_eq!(usage.units().collect::<Vec<_>>(), [("search_units", 2.0)]);
        let usage = usage.service_tier(ServiceTier::Priority);
        let units: Vec<_> = usage.units().collect();
        assert_eq!(units, [("search_units", 2.0), ("priority_calls", 1.0)]);
    }

    #[test]
    fn a_part_that_is_greater_than_its_whole_is_inconsistent() {
        let usage = || Usage::new().input(10).output(5);
        for (usage, is_consistent) in [
            (usage().cache_read(6).cache_write(4).cache_write_1h(4), true),
            (usage().cache_read(6).cache_write(5), false),
            (usage().cache_write(4).cache_write_1h(5), false),
            (usage().reasoning(5), true),
            (usage().reasoning(6), false),
            (usage().audio_input(5).image_input(6), false),
            (usage().audio_output(6), false),
            (usage().image_output(6), false),
            (Usage::new().reasoning(6), true),
        ] {
            assert_eq!(usage.is_consistent(), is_consistent, "{usage:?}");
        }
    }

    #[test]
    fn implausible_counts_are_discarded() {
        let (usage, is_invalid) = Usage::new().input(MAX_TOKENS).output(1).discard_invalid();
        assert_eq!((usage.input, is_invalid), (Some(MAX_TOKENS), false));
        let (usage, is_invalid) = usage.reasoning(MAX_TOKENS + 1).discard_invalid();
        assert_eq!((usage.reasoning, is_invalid), (None, true));
        assert_eq!(usage.output, Some(1));
    }

    #[test]
    fn units_replace_tokens_only_if_there_are_none() {
        let units = |unit, count| Usage::new().billed(unit, count).is_billed_by_units();
        assert!(units(Unit::SearchUnits, 1.0));
        assert!(units(Unit::SearchUnits, 0.0));
        assert!(!units(Unit::WebSearches, 1.0));
        assert!(
            !Usage::new()
                .input(1)
                .billed(Unit::Images, 1.0)
                .is_billed_by_units()
        );
    }
}
