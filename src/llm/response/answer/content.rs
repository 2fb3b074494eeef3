//! Whether a response has content yet: the first content is the first token.

use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

/// The text, reasoning and tool calls of a response.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Content {
    pub(crate) is_present: bool,
    pub(crate) has_reasoning: bool,
    /// The number of events with content.
    pub(crate) event_count: u64,
    /// Whether the event, or the choice, that is being read has content.
    pub(super) is_in_event: bool,
    pub(super) is_in_choice: bool,
}

impl Content {
    pub(crate) fn set_present(&mut self) {
        self.is_present = true;
        self.is_in_event = true;
        self.is_in_choice = true;
    }

    pub(crate) fn end_event(&mut self) {
        self.event_count += u64::from(std::mem::take(&mut self.is_in_event));
        self.is_in_choice = false;
    }
}

impl Answer {
    /// Text, arguments of a tool call, or media.
    pub(crate) fn text(&mut self) {
        self.content.set_present();
    }

    pub(crate) fn reasoning_text(&mut self) {
        self.content.set_present();
        self.content.has_reasoning = true;
    }

    /// Whether the text beside it is reasoning.
    pub(crate) fn is_reasoning(&mut self, value: Value<'_>) {
        self.content.has_reasoning |= value.is_true();
    }
}
