//! Why the answers of a call ended.

/// The reasons, as the label `reason` of `llm_finish_reasons_total` tells them.
pub(crate) const REASONS: [&str; 6] = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "error",
    "other",
];

/// Two of these by their positions.
const STOP: usize = 0;
const TOOL_CALLS: usize = 2;

/// So many answers of one call are told apart; those after them are not counted.
const MOST: usize = 256;

/// The answers of a call, each by its number.
#[derive(Debug, Default)]
pub(crate) struct FinishReasons(Vec<Finish>);

/// One answer: why it ended, and whether it asked for a tool.
#[derive(Debug, Default)]
struct Finish {
    choice: u64,
    reason: Option<usize>,
    /// Whether content came after the reason, which therefore was not the end.
    is_open: bool,
    has_called: bool,
}

impl FinishReasons {
    /// Notes that there is such an answer, which has not ended.
    pub(crate) fn add_choice(&mut self, choice: u64) {
        self.entry(choice);
    }

    /// Notes why an answer ended. The last reason counts.
    pub(crate) fn set(&mut self, choice: u64, reason: &str) {
        if let Some(known) = self.entry(choice) {
            known.reason = Some(normal(reason));
            known.is_open = false;
        }
    }

    /// Notes that an answer goes on, even if it gave a reason before.
    pub(crate) fn reopen(&mut self, choice: u64) {
        let mut known = self.0.iter_mut();
        if let Some(known) = known.find(|finish| finish.choice == choice) {
            known.is_open = known.reason.is_some();
        }
    }

    /// Notes that an answer asked for a tool.
    pub(crate) fn set_tool_call(&mut self, choice: u64) {
        if let Some(known) = self.entry(choice) {
            known.has_called = true;
        }
    }

    /// Lets an answer that just stopped, after it had asked for a tool, have done so for the
    /// tool: of providers who have no reason of its own for that.
    pub(crate) fn replace_stop_by_tool_calls(&mut self) {
        for finish in &mut self.0 {
            if finish.has_called && finish.reason == Some(STOP) {
                finish.reason = Some(TOOL_CALLS);
            }
        }
    }

    /// Returns true when there are no answers.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if all answers that have begun have ended, and there is one at least.
    pub(crate) fn is_finished(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Finish::has_ended)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the reasons of answers that went on and did not end.
    pub(crate) fn discard_reopened(&mut self) {
        for finish in self.0.iter_mut().filter(|finish| finish.is_open) {
            finish.reason = None;
        }
    }

    /// Returns the reason of each answer that has ended.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.0
            .iter()
            .filter_map(|finish| Some(REASONS[finish.reason?]))
    }

    fn entry(&mut self, choice: u64) -> Option<&mut Finish> {
        let there = self.0.iter().position(|finish| finish.choice == choice);
        if there.is_none() && self.0.len() < MOST {
            self.0.push(Finish {
                choice,
                ..Finish::default()
            });
        }
        let at = there.unwrap_or(self.0.len() - 1);
        let finish = &mut self.0[at];
        (finish.choice == choice).then_some(finish)
    }
}

impl Finish {
    fn has_ended(&self) -> bool {
        self.reason.is_some() && !self.is_open
    }
}

/// Returns the position in [`REASONS`] of what a provider calls it. The numbers are those of
/// Gemini's and Vertex AI's enum, as far as the two agree.
fn normal(reason: &str) -> usize {
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
        // Gemini and Bedrock say which of their rules it was.
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
