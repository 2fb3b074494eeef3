//! The token counts of usage objects.

use crate::llm::facts::MAX_TOKENS;
use crate::llm::response::answer::event::Modality;
use crate::llm::response::answer::{Answer, TokenCounts, TokenKind};
use crate::llm::response::json::Value;

impl Answer {
    pub(crate) fn input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::Input, value);
    }

    pub(crate) fn output(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::Output, value);
    }

    pub(crate) fn total(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::Total, value);
    }

    pub(crate) fn cache_read(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::CacheRead, value);
    }

    pub(crate) fn cache_write(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::CacheWrite, value);
    }

    pub(crate) fn cache_write_1h(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::CacheWrite1h, value);
    }

    pub(crate) fn reasoning(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::Reasoning, value);
    }

    pub(crate) fn audio_input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::AudioInput, value);
    }

    pub(crate) fn audio_output(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::AudioOutput, value);
    }

    pub(crate) fn image_input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::ImageInput, value);
    }

    pub(crate) fn image_output(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::ImageOutput, value);
    }

    pub(crate) fn extra_image_input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::ExtraImageInput, value);
    }

    pub(crate) fn extra_tool_input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::ExtraToolInput, value);
    }

    pub(crate) fn raw_input(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::RawInput, value);
    }

    pub(crate) fn raw_output(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::RawOutput, value);
    }

    pub(crate) fn raw_cache_read(&mut self, value: Value<'_>) {
        self.set_tokens(TokenKind::RawCacheRead, value);
    }

    /// A list whose elements have [`listed_input`](Self::listed_input) tokens.
    pub(crate) fn input_list(&mut self, value: Value<'_>) {
        if value == Value::Open {
            self.listed_input = None;
        }
    }

    /// The input tokens of an element of a list, which are added up.
    pub(crate) fn listed_input(&mut self, value: Value<'_>) {
        if let Some(tokens) = self.parse_tokens(value) {
            let sum = self.listed_input.unwrap_or(0).saturating_add(tokens);
            self.listed_input = Some(sum);
        }
    }

    /// An entry of the list of input tokens by modality.
    pub(crate) fn input_by_modality(&mut self, value: Value<'_>) {
        if value == Value::Close {
            // Image tokens of a prompt cost as much as its text tokens.
            self.end_modality(|modality| match modality {
                Modality::Audio => Some(TokenKind::AudioInput),
                Modality::Image => None,
            });
        }
    }

    /// An entry of the list of output tokens by modality.
    pub(crate) fn output_by_modality(&mut self, value: Value<'_>) {
        if value == Value::Close {
            self.end_modality(|modality| match modality {
                Modality::Audio => Some(TokenKind::AudioOutput),
                Modality::Image => Some(TokenKind::ImageOutput),
            });
        }
    }

    pub(crate) fn modality(&mut self, value: Value<'_>) {
        self.event.modality = value.scalar().and_then(Modality::from_word);
    }

    /// An entry of the list of cache writes by their time to live.
    pub(crate) fn cache_write_by_ttl(&mut self, value: Value<'_>) {
        if value == Value::Close {
            let tokens = self.event.listed_tokens.take();
            let is_1h = std::mem::take(&mut self.event.is_1h_cache_write);
            if let Some(tokens) = tokens.filter(|_| is_1h) {
                self.report_mut()
                    .set_unless_zero(TokenKind::CacheWrite1h, tokens);
            }
        }
    }

    pub(crate) fn cache_ttl(&mut self, value: Value<'_>) {
        if let Value::Text(ttl) = value {
            self.event.is_1h_cache_write = ttl == "1h";
        }
    }

    /// The tokens of an entry of a list.
    pub(crate) fn listed_tokens(&mut self, value: Value<'_>) {
        if let Some(tokens) = self.parse_tokens(value) {
            self.event.listed_tokens = Some(tokens);
        }
    }

    /// Updates the counts by those of the event. The counts of an event that broke off are not
    /// complete.
    pub(super) fn end_report(&mut self, is_whole: bool) {
        self.open_iterations = None;
        if let Some(report) = self.report.take() {
            let is_complete = self.is_usage_complete && is_whole;
            self.counts.update(&report, is_complete);
        }
    }

    fn end_modality(&mut self, kind: impl Fn(Modality) -> Option<TokenKind>) {
        let tokens = self.event.listed_tokens.take();
        let kind = self.event.modality.take().and_then(kind);
        if let (Some(tokens), Some(kind)) = (tokens, kind) {
            self.report_mut().set_unless_zero(kind, tokens);
        }
    }

    fn set_tokens(&mut self, kind: TokenKind, value: Value<'_>) {
        let Some(tokens) = self.parse_tokens(value) else {
            return;
        };
        let iteration = self.open_iterations.as_mut().and_then(|runs| runs.counts());
        match iteration {
            Some(counts) => counts.set_unless_zero(kind, tokens),
            None => self.report_mut().set_unless_zero(kind, tokens),
        }
    }

    fn report_mut(&mut self) -> &mut TokenCounts {
        self.report.get_or_insert_default()
    }

    /// Returns a token count, which may be written as a float or a string.
    fn parse_tokens(&mut self, value: Value<'_>) -> Option<u64> {
        // A `null` changes nothing. An object in place of a number is invalid, once.
        if matches!(value, Value::Null | Value::Close) {
            return None;
        }
        let tokens = value.to_u64().filter(|tokens| *tokens <= MAX_TOKENS);
        self.is_invalid |= tokens.is_none();
        tokens
    }
}
