//! What was chosen for a layer, before its metrics are made.

use std::time::Duration;

use http::{Method, StatusCode, Uri};

use crate::context::{Clock, Hook};
use crate::metric::Buckets;
use crate::middleware::custom_labels::OwnLabels;
use crate::middleware::preset::Preset;
use crate::middleware::routes::Routes;
use crate::middleware::trace::Traces;

/// The choices of one layer.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) preset: Preset,
    pub(super) prefix: String,
    /// Of the duration; those of the preset where there are none.
    pub(super) buckets: Option<Buckets>,
    pub(super) buckets_of: Vec<(String, Buckets)>,
    pub(super) skip: Skip,
    pub(super) routes: Routes,
    /// The routes whose responses are streams.
    pub(super) streams: Vec<String>,
    /// How soon the requests of a route are to end.
    pub(super) levels: Vec<(String, Duration)>,
    pub(super) declared: Vec<Declared>,
    pub(super) own: OwnLabels,
    /// How many values the open labels may have, where that was said.
    pub(super) limit: Option<usize>,
    /// Whether the status is its class alone.
    pub(super) status_class: bool,
    pub(super) time_to_head: bool,
    pub(super) time_to_first_byte: bool,
    pub(super) traces: Option<Traces>,
    pub(super) clock: Clock,
}

impl Settings {
    /// Returns true when there is something to note of every request.
    pub(super) fn take_notes(&self) -> bool {
        self.time_to_first_byte || self.traces.is_some() || !self.own.is_empty()
    }
}

/// An endpoint that is to show as 0 from the start.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) method: Method,
    pub(super) route: String,
    pub(super) statuses: Vec<StatusCode>,
}

/// Which requests are not measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Skip(Option<Hook<Predicate>>);

pub(super) type Predicate = dyn Fn(&Method, &Uri) -> bool + Send + Sync;

impl Skip {
    pub(super) fn of(skip: Hook<Predicate>) -> Self {
        Self(Some(skip))
    }

    /// Returns true when the request is not to be measured. One of which the user's
    /// code cannot tell, because it panics, is.
    #[inline]
    pub(super) fn covers(&self, method: &Method, uri: &Uri) -> bool {
        let Some(hook) = &self.0 else {
            return false;
        };
        hook.ask(|skip| skip(method, uri)).unwrap_or(false)
    }
}
