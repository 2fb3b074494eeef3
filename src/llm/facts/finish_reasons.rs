//! The finish reasons of a response's choices.

/// The values of the label `reason` of `llm_finish_reasons_total`.
pub(crate) const REASONS: [&str; 6] = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "error",
    "other",
];

/// The index of `stop` in [`REASONS`].
const STOP: usize = 0;

/// The index of `tool_calls` in [`REASONS`].
const TOOL_CALLS: usize = 2;

/// The greatest number of choices in one response. Further choices are not counted.
const MAX_CHOICES: usize = 256;

/// The choices of a response, with their finish reasons.
#[derive(Debug, Default)]
pub(crate) struct FinishReasons(Vec<Choice>);

/// One choice of a response.
#[derive(Debug, Default)]
struct Choice {
    number: u64,
    /// The index of the finish reason in [`REASONS`].
    reason: Option<usize>,
    /// Whether content followed the finish reason, so that the choice has not ended.
    is_reopened: bool,
    has_tool_call: bool,
}

impl FinishReasons {
    /// Adds a choice without a finish reason, unless it exists.
    pub(crate) fn add_choice(&mut self, choice: u64) {
        self.get_or_insert(choice);
    }

    /// Sets the finish reason of a choice. A later reason replaces it.
    pub(crate) fn set(&mut self, choice: u64, reason: &str) {
        if let Some(choice) = self.get_or_insert(choice) {
            choice.reason = Some(reason_index(reason));
            choice.is_reopened = false;
        }
    }

    /// Marks a choice as continuing, because content followed its finish reason.
    pub(crate) fn reopen(&mut self, choice: u64) {
        let mut choices = self.0.iter_mut();
        if let Some(choice) = choices.find(|known| known.number == choice) {
            choice.is_reopened = choice.reason.is_some();
        }
    }

    /// Marks a choice as one that requested a tool call.
    pub(crate) fn set_tool_call(&mut self, choice: u64) {
        if let Some(choice) = self.get_or_insert(choice) {
            choice.has_tool_call = true;
        }
    }

    /// Replaces `stop` by `tool_calls` for choices with a tool call. Some providers report `stop`
    /// for both.
    pub(crate) fn replace_stop_by_tool_calls(&mut self) {
        for choice in &mut self.0 {
            if choice.has_tool_call && choice.reason == Some(STOP) {
                choice.reason = Some(TOOL_CALLS);
            }
        }
    }

    /// Returns true if there are no choices.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if there is at least one choice and all choices have ended.
    pub(crate) fn is_finished(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Choice::has_ended)
    }

    /// Returns the number of choices.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes the finish reasons of choices that continued after them and did not end.
    pub(crate) fn discard_reopened(&mut self) {
        for choice in self.0.iter_mut().filter(|choice| choice.is_reopened) {
            choice.reason = None;
        }
    }

    /// Returns the finish reasons of all choices that have one.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.0
            .iter()
            .filter_map(|choice| Some(REASONS[choice.reason?]))
    }

    /// Returns a choice, which is added if it is new. Returns `None` if there are too many.
    fn get_or_insert(&mut self, number: u64) -> Option<&mut Choice> {
        let existing = self.0.iter().position(|choice| choice.number == number);
        if existing.is_none() && self.0.len() < MAX_CHOICES {
            self.0.push(Choice {
                number,
                ..Choice::default()
            });
        }
        let index = existing.unwrap_or(self.0.len() - 1);
        let choice = &mut self.0[index];
        (choice.number == number).then_some(choice)
    }
}

impl Choice {
    fn has_ended(&self) -> bool {
        self.reason.is_some() && !self.is_reopened
    }
}

/// Returns the index in [`REASONS`] of a provider's finish reason.
///
/// The numbers are values of the enum of Gemini and Vertex AI. Only those with the same meaning in
/// both are listed.
fn reason_index(reason: &str) -> usize {
    match reason.to_ascii_lowercase().as_str() {
        "1" | "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "complete"
        | "completed" | "finish" | "finished" | "stop_criteria_met" => STOP,
        "2"
        | "length"
        | "max_tokens"
        | "max_output_tokens"
        | "model_length"
        | "model_context_window_exceeded" => 1,
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => TOOL_CALLS,
        // Gemini and Bedrock report which policy was violated.
        "3"
        | "4"
        | "7"
        | "8"
        | "content_filter"
        | "content_filtered"
        | "refusal"
        | "safety"
        | "guardrail_intervened"
        | "recitation"
        | "blocklist"
        | "prohibited_content"
        | "spii"
        | "model_armor"
        | "image_safety"
        | "image_prohibited_content"
        | "image_recitation"
        | "error_toxic" => 3,
        "error"
        | "error_limit"
        | "timeout"
        | "insufficient_system_resource"
        | "malformed_function_call"
        | "malformed_model_output"
        | "malformed_tool_use"
        | "malformed_response"
        | "unexpected_tool_call"
        | "too_many_tool_calls"
        | "missing_thought_signature" => 4,
        _ => 5,
    }
}
