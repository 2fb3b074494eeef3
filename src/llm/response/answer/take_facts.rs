//! What a response says about its call when it has ended.

use crate::llm::facts::{CallFacts, Units, Usage};
use crate::llm::response::answer::{Answer, TokenCounts, TokenKind};

impl Answer {
    /// Returns what the response says about its call. `has_output` is false for operations
    /// without output tokens.
    pub(crate) fn take_facts(&mut self, has_output: bool) -> CallFacts {
        self.complete_units();
        // Without output tokens, some providers report the total only.
        if !has_output {
            let input = self.counts.get(TokenKind::Input);
            let input = input.or(self.counts.get(TokenKind::Total));
            self.counts.set(TokenKind::Input, input);
            self.counts.set(TokenKind::Output, None);
        }
        let counts = self.counts;
        let usage = self.valid_usage(&counts, self.units);
        let other_models = std::mem::take(&mut self.other_models);
        let other_models = other_models
            .into_iter()
            .map(|(model, counts)| (model, self.valid_usage(&counts, Units::default())));
        let other_models = other_models.collect();
        // Reasoning that is not shown came before the first visible token.
        let hidden_tokens = if self.content.has_reasoning {
            0
        } else {
            usage.reasoning.unwrap_or(0)
        };
        CallFacts {
            usage,
            other_models,
            hidden_tokens,
            tool_calls: self.tool_call_count(),
            ..std::mem::take(&mut self.facts)
        }
    }

    /// Returns the usage without invalid counts, and notes whether there were any.
    fn valid_usage(&mut self, counts: &TokenCounts, units: Units) -> Usage {
        let (usage, is_invalid) = counts.usage(units).discard_invalid();
        self.is_invalid |= is_invalid;
        usage
    }
}
