//! The tokens of one call, and what else it is billed by.

/// How many tokens a call took, as far as that is known.
///
/// Input includes what was read from a cache or written to one, output includes
/// reasoning: the details are parts of the two, never beside them. A part that is
/// greater than its whole is counted as if it were all of it.
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
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) reasoning: Option<u64>,
    pub(super) audio_input: Option<u64>,
    pub(super) audio_output: Option<u64>,
    units: [Option<f64>; UNITS.len()],
}

/// What a call is billed by besides tokens, or instead of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds of sound that was heard.
    AudioSeconds,
    /// Pictures that were looked at.
    Images,
    /// Searches among documents, by which Cohere bills a rerank.
    SearchUnits,
    /// Searches of the web that the model asked for.
    WebSearches,
}

pub(super) const UNITS: [(Unit, &str); 4] = [
    (Unit::AudioSeconds, "audio_seconds"),
    (Unit::Images, "images"),
    (Unit::SearchUnits, "search_units"),
    (Unit::WebSearches, "web_searches"),
];

/// No call is billed by more.
pub(super) const MOST_UNITS: f64 = 1e9;

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

    /// Those of the input that came from a cache.
    pub fn cache_read(self, tokens: u64) -> Self {
        Self {
            cache_read: Some(tokens),
            ..self
        }
    }

    /// Those of the input that were written to a cache.
    pub fn cache_write(self, tokens: u64) -> Self {
        Self {
            cache_write: Some(tokens),
            ..self
        }
    }

    /// Those of the output that the model thought and did not say.
    pub fn reasoning(self, tokens: u64) -> Self {
        Self {
            reasoning: Some(tokens),
            ..self
        }
    }

    /// Those of the input that were sound.
    pub fn audio_input(self, tokens: u64) -> Self {
        Self {
            audio_input: Some(tokens),
            ..self
        }
    }

    /// Those of the output that were sound.
    pub fn audio_output(self, tokens: u64) -> Self {
        Self {
            audio_output: Some(tokens),
            ..self
        }
    }

    /// How many units the call is billed by; a number that is negative, none, or more than
    /// a thousand millions is ignored.
    pub fn billed(mut self, unit: Unit, count: f64) -> Self {
        if (0.0..=MOST_UNITS).contains(&count) {
            self.units[unit as usize] = Some(count);
        }
        self
    }

    /// Returns how many of a unit there are, if that is known.
    pub(super) fn count(&self, unit: Unit) -> Option<f64> {
        self.units[unit as usize]
    }

    /// Returns the units that are known and not 0, by their names.
    pub(super) fn units(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let known = |(unit, name): (Unit, _)| Some((name, self.count(unit)?));
        UNITS
            .into_iter()
            .filter_map(known)
            .filter(|(_, count)| *count > 0.0)
    }

    /// Whether the call is billed by something else than tokens. Searches of the web come
    /// beside them, and never for all there is.
    pub(super) fn is_by_units(&self) -> bool {
        let has = |unit| self.count(unit).is_some();
        let has_tokens = self.input.is_some() || self.output.is_some();
        !has_tokens
            && [Unit::AudioSeconds, Unit::Images, Unit::SearchUnits]
                .into_iter()
                .any(has)
    }

    /// Returns the parts of input and output by their kind, none greater than its
    /// whole, and those that are 0 left out.
    pub(super) fn details(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let part = |kind, part: Option<u64>, whole: Option<u64>| {
            (kind, part.unwrap_or(0).min(whole.unwrap_or(u64::MAX)))
        };
        [
            part("cache_read", self.cache_read, self.input),
            part("cache_write", self.cache_write, self.input),
            part("reasoning", self.reasoning, self.output),
            part("audio_input", self.audio_input, self.input),
            part("audio_output", self.audio_output, self.output),
        ]
        .into_iter()
        .filter(|(_, tokens)| *tokens > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_place() {
        for (at, (unit, _)) in UNITS.into_iter().enumerate() {
            assert_eq!(unit as usize, at);
        }
    }

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
    }

    #[test]
    fn units_take_the_place_of_tokens_only_where_there_are_none() {
        let units = |unit, count| Usage::new().billed(unit, count).is_by_units();
        assert!(units(Unit::SearchUnits, 1.0));
        assert!(units(Unit::SearchUnits, 0.0));
        assert!(!units(Unit::WebSearches, 1.0));
        assert!(
            !Usage::new()
                .input(1)
                .billed(Unit::Images, 1.0)
                .is_by_units()
        );
    }
}
