//! Billed units other than tokens, and the tiers of service.

/// Units that a call is billed by, besides tokens or instead of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds of audio input.
    AudioSeconds,
    /// Input images.
    Images,
    /// Searches among documents, by which Cohere bills a rerank.
    SearchUnits,
    /// Web searches that the model asked for.
    WebSearches,
    /// Searches of X, by xAI.
    XSearches,
    /// Searches of stored files.
    FileSearches,
    /// Runs of code on the provider's machines.
    CodeExecutions,
    /// Images that the model had another model generate.
    ImageGenerations,
}

pub(crate) const UNITS: [(Unit, &str); 8] = [
    (Unit::AudioSeconds, "audio_seconds"),
    (Unit::Images, "images"),
    (Unit::SearchUnits, "search_units"),
    (Unit::WebSearches, "web_searches"),
    (Unit::XSearches, "x_searches"),
    (Unit::FileSearches, "file_searches"),
    (Unit::CodeExecutions, "code_executions"),
    (Unit::ImageGenerations, "image_generations"),
];

/// A tier of service with a price of its own. The standard tier is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceTier {
    /// Processed later, for less.
    Batch,
    /// Generated faster, for more (Anthropic's fast mode).
    Fast,
    /// Processed when there is capacity, for less.
    Flex,
    /// Processed before others, for more.
    Priority,
    /// Served from capacity that was bought ahead.
    Provisioned,
    /// Another tier than the standard one.
    Other,
}

/// How many units a call is billed by, and the tier that served it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Units {
    counts: [Option<f64>; UNITS.len()],
    pub(crate) tier: Option<ServiceTier>,
}

/// No call is billed by more units.
const MAX_UNITS: f64 = 1e9;

impl Units {
    /// Returns how many of a unit there are, if that is known.
    pub(crate) fn get(&self, unit: Unit) -> Option<f64> {
        self.counts[unit as usize]
    }

    /// Sets how many of a unit there are, and returns false if that is no such number.
    pub(crate) fn set(&mut self, unit: Unit, count: f64) -> bool {
        let is_count = (0.0..=MAX_UNITS).contains(&count);
        if is_count {
            self.counts[unit as usize] = Some(count);
        }
        is_count
    }

    /// Adds one of a unit.
    pub(crate) fn add_one(&mut self, unit: Unit) {
        let count = self.get(unit).unwrap_or(0.0);
        self.set(unit, count + 1.0);
    }

    /// Takes from others the counts that are not known, or 0.
    pub(crate) fn fill_missing(&mut self, others: &Self) {
        for (count, other) in self.counts.iter_mut().zip(others.counts) {
            if count.is_none_or(|count| count == 0.0) {
                *count = other.or(*count);
            }
        }
    }
}

impl ServiceTier {
    /// Returns the tier that a provider names, or nothing for the standard one.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, ServiceTier); 9] = [
            ("priority", ServiceTier::Priority),
            ("performance", ServiceTier::Priority),
            ("flex", ServiceTier::Flex),
            ("batch", ServiceTier::Batch),
            ("fast", ServiceTier::Fast),
            ("scale", ServiceTier::Provisioned),
            ("provisioned", ServiceTier::Provisioned),
            ("reserved", ServiceTier::Provisioned),
            ("2", ServiceTier::Provisioned),
        ];
        // What nearly all answers say, some in each event; the numbers are Vertex AI's.
        const STANDARD: [&str; 7] = ["default", "auto", "standard", "on_demand", "", "0", "1"];
        if STANDARD.contains(&word) {
            return None;
        }
        let word = word.to_ascii_lowercase();
        if STANDARD.contains(&&*word) || word.ends_with("unspecified") {
            return None;
        }
        let named = WORDS.iter().find(|(part, _)| word.contains(part));
        Some(named.map_or(Self::Other, |(_, tier)| *tier))
    }

    /// Returns what a call of the tier is called as a unit.
    pub(crate) fn unit_name(self) -> &'static str {
        match self {
            Self::Batch => "batch_calls",
            Self::Fast => "fast_calls",
            Self::Flex => "flex_calls",
            Self::Priority => "priority_calls",
            Self::Provisioned => "provisioned_calls",
            Self::Other => "other_tier_calls",
        }
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
    fn tiers_are_known_by_the_words_of_all_providers() {
        use ServiceTier as T;
        for (word, tier) in [
            ("default", None),
            ("standard", None),
            ("auto", None),
            ("on_demand", None),
            ("ON_DEMAND", None),
            ("", None),
            ("priority", Some(T::Priority)),
            ("ON_DEMAND_PRIORITY", Some(T::Priority)),
            ("flex", Some(T::Flex)),
            ("batch", Some(T::Batch)),
            ("scale", Some(T::Provisioned)),
            ("PROVISIONED_THROUGHPUT", Some(T::Provisioned)),
            ("fast", Some(T::Fast)),
            ("TRAFFIC_TYPE_UNSPECIFIED", None),
            ("1", None),
            ("2", Some(T::Provisioned)),
            ("overnight", Some(T::Other)),
        ] {
            assert_eq!(T::from_word(word), tier, "{word}");
        }
    }
}
