//! An answer that the provider makes in the background, and stores until it is fetched.

use std::time::Duration;

use crate::llm::response::answer::hash;
use crate::llm::response::server_times::plausible;

/// A hash of the id of a stored answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AnswerId(u64);

/// What an answer says of the work behind it.
#[derive(Debug, Default)]
pub(crate) struct Background {
    pub(crate) id: Option<AnswerId>,
    pub(crate) is_requested: bool,
    pub(crate) created_at: Option<f64>,
    pub(crate) completed_at: Option<f64>,
    /// Whether the work is still to be done, and whether it is over.
    pub(crate) is_pending: bool,
    pub(crate) is_final: bool,
}

impl Background {
    /// Returns the id of an answer that was made in the background and is complete.
    pub(crate) fn finished(&self) -> Option<AnswerId> {
        self.id.filter(|_| self.is_requested && self.is_final)
    }

    /// Returns how long the work took, if the answer says so.
    pub(crate) fn duration(&self) -> Option<Duration> {
        plausible(self.completed_at? - self.created_at?)
    }
}

impl AnswerId {
    pub(crate) fn new(id: &str) -> Self {
        Self(hash(id))
    }

    /// Tells equal ids of two providers apart.
    pub(crate) fn of_provider(self, provider: &str) -> Self {
        Self(self.0 ^ hash(provider))
    }
}
