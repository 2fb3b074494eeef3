//! The error of a response.

use crate::llm::facts::ErrorType;
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

impl Answer {
    /// An error: an object, or a message. The text of a message is not read.
    pub(crate) fn error(&mut self, value: Value<'_>) {
        if value == Value::Open || value.non_empty().is_some() {
            self.set_error("");
        }
    }

    /// The type of the object that the response is.
    pub(crate) fn object_type(&mut self, value: Value<'_>) {
        if value == Value::Text("error") {
            self.set_error("");
        }
    }

    /// The type or code of an error.
    pub(crate) fn error_code(&mut self, value: Value<'_>) {
        if let Some(code) = value.scalar() {
            self.set_error(code);
        }
    }

    /// A code of the event, which is an error code if the event's type says so.
    pub(crate) fn event_code(&mut self, value: Value<'_>) {
        if let Some(code) = value.scalar() {
            self.event.code = Some(code.into());
        }
    }

    /// Sets the error by the word or status code that the provider reports. A specific type is
    /// kept, whichever of type and code comes first.
    pub(crate) fn set_error(&mut self, code: &str) {
        let error = match Value::Number(code).to_u64() {
            Some(status) => u16::try_from(status).ok().and_then(ErrorType::from_status),
            None => ErrorType::from_code(code),
        };
        if let Some(error) = error
            && self.facts.error.is_none_or(ErrorType::is_general)
        {
            self.facts.error = Some(error);
        } else if self.facts.error.is_none() {
            self.facts.error = Some(ErrorType::Other);
        }
    }
}
