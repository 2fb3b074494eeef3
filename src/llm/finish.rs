//! Why the answers of a call ended.

/// The reasons, as the label `reason` of `llm_finish_reasons_total` tells them.
pub(super) const REASONS: [&str; 6] = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "error",
    "other",
];

/// So many answers of one call are told apart; those after them are not counted.
const MOST: usize = 256;

/// The answers of a call, each by its number, and the reason why it ended.
#[derive(Debug, Default)]
pub(super) struct Finishes(Vec<(u64, Option<usize>)>);

impl Finishes {
    /// Notes that there is such an answer, which has not ended.
    pub(super) fn expect(&mut self, choice: u64) {
        self.entry(choice);
    }

    /// Notes why an answer ended; the first reason stays, since some providers repeat
    /// it.
    pub(super) fn add(&mut self, choice: u64, reason: &str) {
        if let Some(known) = self.entry(choice) {
            known.get_or_insert(normal(reason));
        }
    }

    /// Returns true when there are answers, and all have ended.
    pub(super) fn are_all(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(_, reason)| reason.is_some())
    }

    /// Returns the reason of each answer that has ended.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.0
            .iter()
            .filter_map(|(_, reason)| Some(REASONS[(*reason)?]))
    }

    fn entry(&mut self, choice: u64) -> Option<&mut Option<usize>> {
        let there = self.0.iter().position(|(own, _)| *own == choice);
        if there.is_none() && self.0.len() < MOST {
            self.0.push((choice, None));
        }
        let at = there.unwrap_or(self.0.len() - 1);
        let (own, reason) = &mut self.0[at];
        (*own == choice).then_some(reason)
    }
}

/// Returns the position in [`REASONS`] of what a provider calls it.
fn normal(reason: &str) -> usize {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "stop_sequence" | "eos" | "complete" | "completed" => 0,
        "length"
        | "max_tokens"
        | "max_output_tokens"
        | "model_length"
        | "model_context_window_exceeded" => 1,
        "tool_calls" | "tool_use" | "function_call" => 2,
        "content_filter" | "refusal" | "safety" => 3,
        "error" => 4,
        _ => 5,
    }
}
