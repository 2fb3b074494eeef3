//! An answer that the provider makes in the background, and stores until it is fetched.

use std::time::Duration;

use crate::llm::facts::{ResponseId, plausible_duration};

/// What an answer says of the work behind it.
#[derive(Debug, Default)]
pub(crate) struct Background {
    pub(crate) id: Option<ResponseId>,
    pub(crate) is_requested: bool,
    pub(crate) created_at: Option<f64>,
    pub(crate) completed_at: Option<f64>,
    /// Whether the work is still to be done, and whether it is over.
    pub(crate) is_pending: bool,
    pub(crate) is_final: bool,
}

impl Background {
    /// Returns the id of an answer that was made in the background and is complete.
    pub(crate) fn finished_id(&self) -> Option<ResponseId> {
        self.id.filter(|_| self.is_requested && self.is_final)
    }

    /// Returns how long the work took, if the answer says so.
    pub(crate) fn duration(&self) -> Option<Duration> {
        plausible_duration(self.completed_at? - self.created_at?)
    }
}
