//! Billed units other than tokens, and the tiers of service.

/// A unit other than tokens by which calls are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds of audio input.
    AudioSeconds,
    /// Input images.
    Images,
    /// Document searches, by which Cohere bills rerank calls.
    SearchUnits,
    /// Web searches that the model requested.
    WebSearches,
    /// Searches of X (xAI).
    XSearches,
    /// Searches of stored files.
    FileSearches,
    /// Code executions on the provider's machines.
    CodeExecutions,
    /// Images that the model let another model generate.
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

/// A tier of service with its own price. The standard tier is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceTier {
    /// Processed later, at a lower price.
    Batch,
    /// Generated faster, at a higher price (Anthropic's fast mode).
    Fast,
    /// Processed when there is capacity, at a lower price.
    Flex,
    /// Processed before other calls, at a higher price.
    Priority,
    /// Served from provisioned capacity.
    Provisioned,
    /// Any other tier except the standard one.
    Other,
}

/// The billed units of a call, and the tier that served it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Units {
    counts: [Option<f64>; UNITS.len()],
    pub(crate) tier: Option<ServiceTier>,
}

/// The greatest plausible count of units.
const MAX_UNITS: f64 = 1e9;

impl Units {
    /// Returns the count of a unit, if it is known.
    pub(crate) fn get(&self, unit: Unit) -> Option<f64> {
        self.counts[unit as usize]
    }

    /// Sets the count of a unit, and returns false if it is not plausible.
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

    /// Fills the counts that are unknown or 0 from others.
    pub(crate) fn fill_missing(&mut self, others: &Self) {
        for (count, other) in self.counts.iter_mut().zip(others.counts) {
            if count.is_none_or(|count| count == 0.0) {
                *count = other.or(*count);
            }
        }
    }
}

impl ServiceTier {
    /// Returns the tier that a provider reports, or `None` for the standard one.
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
        // The words of most responses; the numbers are Vertex AI's.
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

    /// Returns the unit by which calls of the tier are counted.
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
    fn each_unit_is_at_its_index() {
        for (at, (unit, _)) in UNITS.into_iter().enumerate() {
            assert_eq!(unit as usize, at);
        }
    }

    #[test]
    fn the_tier_words_of_all_providers_are_recognized() {
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
