//! The tokens of one call, and what else it is billed by.

use crate::llm::facts::{ServiceTier, UNITS, Unit, Units};

/// How many tokens a call took, as far as that is known.
///
/// Input includes what was read from a cache or written to one, output includes
/// reasoning: the details are parts of the two, never beside them. A part that is
/// greater than its whole counts as all of it, and the call is counted in
/// `llm_usage_missing_total` with the reason `inconsistent`. A count above 2^40 is ignored.
///
/// ```
/// use tachometer::llm::Usage;
///
/// let usage = Usage::new().input(1_200).output(80).cache_read(1_024);
/// # assert_ne!(usage, Usage::new());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[must_use = "it is to be given to a call"]
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

/// No call has more tokens of a kind.
pub(crate) const MAX_TOKENS: u64 = 1 << 40;

impl Usage {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens of the prompt, all of them.
    pub fn input(self, tokens: u64) -> Self {
        Self {
            input: Some(tokens),
            ..self
        }
    }

    /// Tokens of the answer, all of them.
    pub fn output(self, tokens: u64) -> Self {
        Self {
            output: Some(tokens),
            ..self
        }
    }

    /// Input tokens that came from a cache.
    pub fn cache_read(self, tokens: u64) -> Self {
        Self {
            cache_read: Some(tokens),
            ..self
        }
    }

    /// Input tokens that were written to a cache, for however long.
    pub fn cache_write(self, tokens: u64) -> Self {
        Self {
            cache_write: Some(tokens),
            ..self
        }
    }

    /// Input tokens that were written to a cache that keeps them for an hour: a part of
    /// [`cache_write`](Self::cache_write).
    pub fn cache_write_1h(self, tokens: u64) -> Self {
        Self {
            cache_write_1h: Some(tokens),
            ..self
        }
    }

    /// Output tokens that the model used to reason.
    pub fn reasoning(self, tokens: u64) -> Self {
        Self {
            reasoning: Some(tokens),
            ..self
        }
    }

    /// Input tokens that stand for audio.
    pub fn audio_input(self, tokens: u64) -> Self {
        Self {
            audio_input: Some(tokens),
            ..self
        }
    }

    /// Output tokens that stand for audio.
    pub fn audio_output(self, tokens: u64) -> Self {
        Self {
            audio_output: Some(tokens),
            ..self
        }
    }

    /// Input tokens that stand for images.
    pub fn image_input(self, tokens: u64) -> Self {
        Self {
            image_input: Some(tokens),
            ..self
        }
    }

    /// Output tokens that stand for images.
    pub fn image_output(self, tokens: u64) -> Self {
        Self {
            image_output: Some(tokens),
            ..self
        }
    }

    /// How many units the call is billed by. A count that is negative, not a number, or more
    /// than 1,000,000,000 is ignored.
    pub fn billed(mut self, unit: Unit, count: f64) -> Self {
        self.units.set(unit, count);
        self
    }

    /// The tier of service that served the call.
    pub fn service_tier(mut self, tier: ServiceTier) -> Self {
        self.units.tier = Some(tier);
        self
    }

    /// Returns the usage without the counts that no call can have, and whether there were
    /// any.
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

    /// Returns true if it is known that there were no tokens and no units.
    pub(crate) fn is_zero(&self) -> bool {
        let is_none = self.input == Some(0) && self.output == Some(0);
        is_none && self.units().next().is_none()
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

    /// Returns the units that are known and not 0, by their names.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let known = |(unit, name): (Unit, _)| Some((name, self.units.get(unit)?));
        let tier = self.units.tier.map(|tier| (tier.unit_name(), 1.0));
        UNITS
            .into_iter()
            .filter_map(known)
            .filter(|(_, count)| *count > 0.0)
            .chain(tier)
    }

    /// Returns true if the call is billed by something else than tokens. Searches and other
    /// tools stand beside tokens, and never for all there is.
    pub(crate) fn is_billed_by_units(&self) -> bool {
        let has = |unit| self.units.get(unit).is_some();
        let has_tokens = self.input.is_some() || self.output.is_some();
        !has_tokens
            && [Unit::AudioSeconds, Unit::Images, Unit::SearchUnits]
                .into_iter()
                .any(has)
    }

    /// Returns the parts of input and output by their kind. None is greater than its whole,
    /// and those that are 0 are left out.
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
    fn what_is_no_number_of_units_is_not_known() {
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
    fn counts_that_no_call_can_have_are_dropped() {
        let (usage, is_invalid) = Usage::new().input(MAX_TOKENS).output(1).discard_invalid();
        assert_eq!((usage.input, is_invalid), (Some(MAX_TOKENS), false));
        let (usage, is_invalid) = usage.reasoning(MAX_TOKENS + 1).discard_invalid();
        assert_eq!((usage.reasoning, is_invalid), (None, true));
        assert_eq!(usage.output, Some(1));
    }

    #[test]
    fn units_take_the_place_of_tokens_only_where_there_are_none() {
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
