//! What a call takes over from its answer, once nothing more of it will come.

use crate::llm::call::HttpCall;
use crate::llm::call::http_call::End;
use crate::llm::call::llm_call::has_output;
use crate::llm::facts::{Outcome, Proof, Units, Usage};
use crate::llm::response::answer::{Answer, TokenCounts, TokenKind};
use crate::llm::response::dialect;

impl HttpCall {
    /// Returns how many answers must have given a reason for the call to have ended.
    pub(crate) fn choices(&self) -> usize {
        // If the server ended the body, no further answer can follow.
        let asked = self.params.choices.filter(|_| self.end != Some(End::Body));
        asked.map_or(1, |choices| usize::try_from(choices).unwrap_or(usize::MAX))
    }

    /// Gives the call what was learnt from the answer.
    pub(crate) fn settle(&mut self) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let is_streamed = reader.is_streamed();
        let answer = &mut reader.answer;
        let call = &mut self.call;
        (self.dialect.normalize_usage)(
            answer,
            &dialect::CallContext {
                vendor: self.vendor,
                model: call.model.as_deref(),
                max_tokens: self.params.max_total_tokens(),
            },
        );
        answer.complete_units();
        if let Some(operation) = answer.operation.filter(|_| &*call.operation == "chat") {
            call.set_operation(operation);
        }
        // Where nothing comes out, some tell no more than the sum.
        if !has_output(&call.operation) {
            let input = answer.counts.get(TokenKind::Input);
            let input = input.or(answer.counts.get(TokenKind::Total));
            answer.counts.set(TokenKind::Input, input);
            answer.counts.set(TokenKind::Output, None);
        }
        let (usage, is_invalid) = answer.counts.usage(answer.units).discard_invalid();
        answer.is_invalid |= is_invalid;
        call.usage = usage;
        call.other_models = usages(answer);
        call.is_inconsistent = answer.is_inconsistent;
        // Many tell in each event what there is so far.
        call.is_partial = is_streamed && !answer.has_ended;
        call.reported_cost = answer.reported_cost;
        call.server_times = answer.server_times;
        call.finish_reasons = std::mem::take(&mut answer.finish_reasons);
        call.tool_calls = answer.tool_call_count();
        // What was thought and not shown came before the first token.
        if !answer.content.has_reasoning {
            call.hidden_tokens = call.usage.reasoning.unwrap_or(0);
        }
        self.call.usage_unknown = self.usage_unknown();
        self.name_model();
        self.settle_background();
    }

    /// Returns why the tokens cannot be known, if the exchange shows it.
    fn usage_unknown(&self) -> Option<&'static str> {
        let reader = self.reader.as_ref()?;
        if reader.answer.is_invalid {
            return Some("invalid");
        }
        if self.call.outcome != Outcome::Success || !reader.is_streamed() {
            return self.call.usage_unknown;
        }
        if self.dialect.is_usage_opt_in && self.params.is_readable && !self.params.includes_usage {
            return Some("not_requested");
        }
        // The usage follows the reasons to finish. If the caller stopped there, or the
        // connection broke, it was not read.
        match self.end {
            _ if reader.has_end_marker() => self.call.usage_unknown,
            None => Some("unread"),
            Some(End::Failure(_)) => Some("truncated"),
            Some(End::Body) => self.call.usage_unknown,
        }
    }

    /// Names the model of a call whose request does not show it.
    fn name_model(&mut self) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let call = &mut self.call;
        call.answered = reader.answer.model.take();
        if call.model.is_none() && call.answered.is_some() {
            call.model = call.answered.clone();
            if call.proof == Proof::Request {
                call.proof = Proof::Answer;
            }
        }
    }

    /// Counts a response that was made in the background once.
    fn settle_background(&mut self) {
        let Some(reader) = &self.reader else {
            return;
        };
        let call = &mut self.call;
        let background = &reader.answer.background;
        // An error may quote the response, and uses up no id.
        let is_success = self.status.is_some_and(|status| status.is_success());
        let id = background.finished_id().filter(|_| is_success);
        let id = id.map(|id| id.with_provider(&call.provider));
        let is_new = id.map(|id| call.metrics().is_first_seen(id));
        match (self.fetches_stored, is_new) {
            (true, Some(true)) => call.took = background.duration(),
            (true, _) => call.discard(),
            // Another fetch has counted it.
            (false, Some(false)) => call.outcome = Outcome::Pending,
            // The work goes on without its reader.
            (false, None) if background.is_requested && call.outcome.is_before_end() => {
                call.outcome = Outcome::Pending;
            }
            (false, _) => {}
        }
        if call.outcome == Outcome::Pending {
            call.forget_usage();
        }
    }
}

/// Returns the usage of other models in the same call.
fn usages(answer: &mut Answer) -> Vec<(Box<str>, Usage)> {
    let others = std::mem::take(&mut answer.other_models).into_iter();
    let usage = |(model, counts): (_, TokenCounts)| {
        let (usage, is_invalid) = counts.usage(Units::default()).discard_invalid();
        answer.is_invalid |= is_invalid;
        (model, usage)
    };
    others.map(usage).collect()
}
