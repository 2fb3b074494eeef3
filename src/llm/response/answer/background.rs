//! A response that the provider generates in the background and stores.

use std::time::Duration;

use crate::llm::facts::{ResponseId, plausible_duration};
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

/// What a response reports about its generation in the background.
#[derive(Debug, Default)]
pub(crate) struct Background {
    id: Option<ResponseId>,
    pub(crate) is_requested: bool,
    created_at: Option<f64>,
    completed_at: Option<f64>,
    /// Whether the generation is queued or in progress.
    pub(crate) is_pending: bool,
    /// Whether the generation is over.
    pub(crate) is_final: bool,
}

impl Background {
    /// Returns the id of a response that was generated in the background and is complete.
    pub(crate) fn finished_id(&self) -> Option<ResponseId> {
        self.id.filter(|_| self.is_requested && self.is_final)
    }

    /// Returns how long the generation took, if it is known.
    pub(crate) fn duration(&self) -> Option<Duration> {
        plausible_duration(self.completed_at? - self.created_at?)
    }
}

impl Answer {
    pub(crate) fn response_id(&mut self, value: Value<'_>) {
        if let Some(id) = value.non_empty() {
            self.background.id = Some(ResponseId::new(id));
        }
    }

    /// Whether the request asked for generation in the background.
    pub(crate) fn is_background(&mut self, value: Value<'_>) {
        self.background.is_requested = value.is_true();
    }

    pub(crate) fn created_at(&mut self, value: Value<'_>) {
        self.background.created_at = value.to_f64();
    }

    pub(crate) fn completed_at(&mut self, value: Value<'_>) {
        self.background.completed_at = value.to_f64();
    }
}
