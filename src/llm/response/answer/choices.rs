//! The choices of a response, and why each ended.

use crate::llm::response::answer::{Answer, Event};
use crate::llm::response::json::Value;

impl Answer {
    /// One of several choices.
    pub(crate) fn choice(&mut self, value: Value<'_>) {
        if value == Value::Close {
            self.end_choice();
        }
    }

    pub(crate) fn choice_index(&mut self, value: Value<'_>) {
        self.event.choice_index = value.to_u64();
    }

    pub(crate) fn finish_reason(&mut self, value: Value<'_>) {
        if let Some(reason) = value.scalar().filter(|reason| is_set(reason)) {
            self.event.finish_reason = Some(reason.into());
        }
    }

    /// The action of a guardrail.
    pub(crate) fn guardrail_action(&mut self, value: Value<'_>) {
        if let Value::Text(action) = value {
            self.event.is_blocked = action.eq_ignore_ascii_case("intervened");
        }
    }

    /// The status of the response.
    pub(crate) fn status(&mut self, value: Value<'_>) {
        if let Some(status) = value.scalar().filter(|status| is_set(status)) {
            self.event.status = Some(status.into());
        }
    }

    /// Whether this is the last event. An object is true.
    pub(crate) fn is_done(&mut self, value: Value<'_>) {
        self.event.is_done |= value == Value::Open || value.is_true();
    }

    /// The type of an event.
    pub(crate) fn event_type(&mut self, value: Value<'_>) {
        if let Value::Text(event_type) = value {
            self.event.event_type = Some(event_type.into());
        }
    }

    /// Sets the finish reason of a response with a single choice. Content in an event without
    /// a finish reason reopens the choice.
    pub(crate) fn update_finish_reason(&mut self, event: &Event) {
        if let Some(reason) = event.finish_reason() {
            self.set_finish_reason(0, reason);
        } else if self.content.is_in_event && !event.has_finished_choice {
            self.facts.finish_reasons.reopen(0);
        }
    }

    /// Sets the finish reason of a choice, unless it comes after the end marker.
    fn set_finish_reason(&mut self, choice: u64, reason: &str) {
        if !self.has_ended {
            self.facts.finish_reasons.set(choice, reason);
        }
    }

    fn end_choice(&mut self) {
        let position = self.event.choice_count;
        self.event.choice_count += 1;
        let choice = self.event.choice_index.take().unwrap_or(position);
        if !self.event.tool_calls.is_empty() {
            self.facts.finish_reasons.set_tool_call(choice);
            self.add_event_tool_calls(choice);
        }
        let has_content = std::mem::take(&mut self.content.is_in_choice);
        let Some(reason) = self.event.finish_reason.take() else {
            self.facts.finish_reasons.add_choice(choice);
            if has_content {
                self.facts.finish_reasons.reopen(choice);
            }
            return;
        };
        self.event.has_finished_choice = true;
        self.set_finish_reason(choice, &reason);
        match &*reason {
            "error" => self.set_error("server_error"),
            // DeepSeek.
            "insufficient_system_resource" => self.set_error("overloaded"),
            _ => {}
        }
    }
}

/// Returns false for placeholders of a finish reason or status that is not known yet.
fn is_set(word: &str) -> bool {
    !matches!(word, "" | "null" | "0") && !word.ends_with("_UNSPECIFIED")
}
