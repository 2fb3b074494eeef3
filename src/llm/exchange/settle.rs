//! What a call takes over from its answer, once nothing more of it will come.

use crate::llm::answer::{Answer, Field};
use crate::llm::call::{Proof, has_output};
use crate::llm::dialect;
use crate::llm::exchange::{End, Exchange};
use crate::llm::outcome::Outcome;
use crate::llm::units::Units;
use crate::llm::usage::Usage;

impl Exchange {
    /// Returns how many answers must have given a reason for the call to have ended.
    pub(super) fn choices(&self) -> usize {
        // What a server ends by itself holds all the answers that it has.
        let asked = self.asked.choices.filter(|_| self.end != Some(End::Body));
        asked.map_or(1, |choices| usize::try_from(choices).unwrap_or(usize::MAX))
    }

    /// Gives the call what was learnt from the answer.
    pub(super) fn settle(&mut self) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let is_streamed = reader.is_streamed();
        let answer = &mut reader.answer;
        let call = &mut self.call;
        (self.dialect.settle)(
            answer,
            &dialect::Call {
                vendor: self.vendor,
                model: call.model.as_deref(),
                max_tokens: self.asked.max_tokens(),
            },
        );
        answer.complete_units();
        if let Some(operation) = answer.operation.filter(|_| &*call.operation == "chat") {
            call.set_operation(operation);
        }
        // Where nothing comes out, some tell no more than the sum.
        if !has_output(&call.operation) {
            let input = answer.counts.get(Field::Input);
            let input = input.or(answer.counts.get(Field::Total));
            answer.counts.set(Field::Input, input);
            answer.counts.set(Field::Output, None);
        }
        call.usage = answer.counts.usage(answer.units);
        call.other_models = usages(answer);
        call.is_inconsistent = answer.is_inconsistent;
        // Many tell in each event what there is so far.
        call.is_partial = is_streamed && !answer.has_ended;
        call.charge = answer.charge;
        call.times = answer.times;
        call.finishes = std::mem::take(&mut answer.finishes);
        call.tool_calls = answer.tool_calls();
        // What was thought and not shown came before the first token.
        if !answer.content.has_thoughts {
            call.unseen = call.usage.reasoning.unwrap_or(0);
        }
        self.call.blind = self.blind();
        self.name_model();
        self.settle_background();
    }

    /// Returns why the tokens cannot be known, if the exchange shows it.
    fn blind(&self) -> Option<&'static str> {
        let reader = self.reader.as_ref()?;
        if reader.answer.is_invalid {
            return Some("invalid");
        }
        if self.call.outcome != Outcome::Success || !reader.is_streamed() {
            return self.call.blind;
        }
        if self.dialect.asks_for_usage && self.asked.is_seen && !self.asked.usage {
            return Some("not_requested");
        }
        // The caller stopped at the reason to finish, and the connection may have broken
        // there: the usage follows it.
        match self.end {
            None => Some("unread"),
            Some(End::Failure(_)) => Some("truncated"),
            Some(End::Body) => self.call.blind,
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

    /// Counts a response that was made in the background once, whoever saw its end.
    fn settle_background(&mut self) {
        let Some(reader) = &self.reader else {
            return;
        };
        let call = &mut self.call;
        let background = &reader.answer.background;
        let is_new = background
            .finished()
            .map(|id| call.metrics().is_first_seen(id));
        match (self.is_stored, is_new) {
            (true, Some(true)) => call.took = background.duration(),
            (true, _) => call.discard(),
            (false, Some(false)) => call.outcome = Outcome::Pending,
            (false, _) => {}
        }
        if call.outcome == Outcome::Pending {
            call.forget_usage();
        }
    }
}

/// Returns what models took that others called in.
fn usages(answer: &mut Answer) -> Vec<(Box<str>, Usage)> {
    let others = std::mem::take(&mut answer.other_models).into_iter();
    others
        .map(|(model, counts)| (model, counts.usage(Units::default())))
        .collect()
}
