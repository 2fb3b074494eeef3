//! Billed units other than tokens, and the service tier.

use crate::llm::facts::{ServiceTier, Unit, hash};
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

/// The maximum number of distinct web queries that are counted.
const MAX_WEB_QUERIES: usize = 256;

impl Answer {
    pub(crate) fn audio_seconds(&mut self, value: Value<'_>) {
        self.set_units(Unit::AudioSeconds, value);
    }

    pub(crate) fn images(&mut self, value: Value<'_>) {
        self.set_units(Unit::Images, value);
    }

    pub(crate) fn search_units(&mut self, value: Value<'_>) {
        self.set_units(Unit::SearchUnits, value);
    }

    pub(crate) fn web_searches(&mut self, value: Value<'_>) {
        self.set_units(Unit::WebSearches, value);
    }

    pub(crate) fn x_searches(&mut self, value: Value<'_>) {
        self.set_units(Unit::XSearches, value);
    }

    pub(crate) fn file_searches(&mut self, value: Value<'_>) {
        self.set_units(Unit::FileSearches, value);
    }

    pub(crate) fn code_executions(&mut self, value: Value<'_>) {
        self.set_units(Unit::CodeExecutions, value);
    }

    pub(crate) fn image_generations(&mut self, value: Value<'_>) {
        self.set_units(Unit::ImageGenerations, value);
    }

    /// A query of a web search. The same query counts once.
    pub(crate) fn web_query(&mut self, value: Value<'_>) {
        let Some(query) = value.non_empty() else {
            return;
        };
        let query = hash(query);
        if self.web_queries.len() < MAX_WEB_QUERIES && !self.web_queries.contains(&query) {
            self.web_queries.push(query);
        }
    }

    pub(crate) fn service_tier(&mut self, value: Value<'_>) {
        if let Some(tier) = value.scalar() {
            self.service_tier = ServiceTier::from_name(tier);
        }
    }

    pub(crate) fn speed(&mut self, value: Value<'_>) {
        if let Value::Text(speed) = value {
            self.speed_tier = ServiceTier::from_name(speed);
        }
    }

    /// Returns the number of distinct web queries.
    pub(crate) fn web_query_count(&self) -> usize {
        self.web_queries.len()
    }

    /// Adds one unit, which an output item shows.
    pub(crate) fn add_unit(&mut self, unit: Unit) {
        self.item_units.add_one(unit);
    }

    /// Adds the units that only output items show, and the service tier.
    pub(crate) fn complete_units(&mut self) {
        self.units.fill_missing(&self.item_units);
        self.units.tier = self.service_tier.or(self.speed_tier);
    }

    /// Sets the number of units that the usage reports. A 0 does not replace a known number.
    fn set_units(&mut self, unit: Unit, value: Value<'_>) {
        if value.scalar().is_none() {
            return;
        }
        match value.to_f64() {
            Some(0.0) if self.units.get(unit).is_some() => {}
            Some(count) if self.units.set(unit, count) => {}
            _ => self.is_invalid = true,
        }
    }
}
