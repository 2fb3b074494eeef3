//! The data that a call takes from its response at the end.

use crate::llm::call::HttpCall;
use crate::llm::call::http_call::ResponseEnd;
use crate::llm::facts::{ModelEvidence, Outcome};
use crate::llm::response::CallContext;

impl HttpCall {
    /// Returns the number of choices that must have a finish reason before a stream has ended.
    pub(crate) fn expected_choices(&self) -> usize {
        // If the server ended the body, no further choice can follow.
        let requested = self
            .params
            .choices
            .filter(|_| self.end != Some(ResponseEnd::Body));
        requested.map_or(1, |choices| usize::try_from(choices).unwrap_or(usize::MAX))
    }

    /// Moves the data of the response into the call.
    pub(crate) fn take_facts(&mut self) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let is_streamed = reader.is_streamed();
        let answer = &mut reader.answer;
        let call = &mut self.call;
        let context = CallContext {
            vendor: self.vendor,
            model: call.target.model.as_deref(),
            max_tokens: self.params.max_total_tokens(),
        };
        (self.dialect.normalize_usage)(answer, &context);
        if let Some(operation) = answer
            .operation
            .filter(|_| &*call.target.operation == "chat")
        {
            call.set_operation(operation);
        }
        call.facts = answer.take_facts(call.target.has_output());
        // Each event of a stream may report the usage so far.
        call.facts.is_partial = is_streamed && !answer.has_ended;
        self.call.facts.usage_unknown = self.usage_unknown();
        self.set_response_model();
        self.count_background_response();
    }

    /// Returns the reason why the usage is unknown, if the request or the response shows it.
    fn usage_unknown(&self) -> Option<&'static str> {
        let reader = self.reader.as_ref()?;
        if reader.answer.is_invalid {
            return Some("invalid");
        }
        let encoded = self.is_unreadable.then_some("encoded");
        if self.call.outcome != Outcome::Success || !reader.is_streamed() {
            return encoded;
        }
        if self.dialect.is_usage_opt_in && self.params.is_readable && !self.params.includes_usage {
            return Some("not_requested");
        }
        // The usage follows the finish reasons. It was not read if the caller stopped reading
        // there or the connection broke.
        match self.end {
            _ if reader.has_end_marker() => encoded,
            None => Some("unread"),
            Some(ResponseEnd::Failure(_)) => Some("truncated"),
            Some(ResponseEnd::Body) => encoded,
        }
    }

    /// Sets the response's model as the model of the call if the request does not show one.
    fn set_response_model(&mut self) {
        let target = &mut self.call.target;
        if target.model.is_none()
            && let Some(model) = &self.call.facts.response_model
        {
            target.model = Some(model.clone());
            if target.model_evidence == ModelEvidence::AcceptedRequest {
                target.model_evidence = ModelEvidence::Response;
            }
        }
    }

    /// Counts a response that was generated in the background only once, even if it is fetched
    /// several times.
    fn count_background_response(&mut self) {
        let Some(reader) = &self.reader else {
            return;
        };
        let call = &mut self.call;
        let background = &reader.answer.background;
        // An error may quote the response without delivering it.
        let is_success = self.status.is_some_and(|status| status.is_success());
        let id = background.finished_id().filter(|_| is_success);
        let id = id.map(|id| id.with_provider(&call.target.provider));
        let is_new = id.map(|id| call.metrics().is_first_seen(id));
        match (self.is_fetch, is_new) {
            (true, Some(true)) => call.measured_duration = background.duration(),
            (true, _) => call.discard(),
            // A fetch has already counted it.
            (false, Some(false)) => call.outcome = Outcome::Pending,
            // The provider continues after the client stops reading.
            (false, None) if background.is_requested && call.outcome.is_before_end() => {
                call.outcome = Outcome::Pending;
            }
            (false, _) => {}
        }
        if call.outcome == Outcome::Pending {
            call.facts.discard_usage();
        }
    }
}
