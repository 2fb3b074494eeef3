//! What was chosen for a layer, before its metrics are made.

use std::time::Duration;

use http::{Method, StatusCode, Uri};

use crate::context::{Clock, Hook};
use crate::metric::Buckets;
use crate::middleware::custom_labels::CustomLabels;
use crate::middleware::preset::Preset;
use crate::middleware::route_name::RouteNaming;
use crate::middleware::trace_id::TraceIdSource;

/// The choices of one layer.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) preset: Preset,
    pub(super) prefix: String,
    /// Of the duration; those of the preset where there are none.
    pub(super) buckets: Option<Buckets>,
    pub(super) route_buckets: Vec<(String, Buckets)>,
    pub(super) skip: SkipFilter,
    pub(super) route_naming: RouteNaming,
    /// The routes whose responses are streams.
    pub(super) stream_routes: Vec<String>,
    /// How soon the requests of a route are to end.
    pub(super) service_levels: Vec<(String, Duration)>,
    pub(super) predeclared: Vec<PredeclaredEndpoint>,
    pub(super) custom_labels: CustomLabels,
    /// How many values the open labels may have, where that was said.
    pub(super) label_limit: Option<usize>,
    /// Whether the status is its class alone.
    pub(super) status_class: bool,
    pub(super) time_to_head: bool,
    pub(super) time_to_first_byte: bool,
    pub(super) trace_id_source: Option<TraceIdSource>,
    pub(super) clock: Clock,
}

impl Settings {
    /// Returns true when there is something to note of every request.
    pub(super) fn needs_optional_state(&self) -> bool {
        self.time_to_first_byte || self.trace_id_source.is_some() || !self.custom_labels.is_empty()
    }
}

/// An endpoint that is to show as 0 from the start.
#[derive(Debug, Clone)]
pub(super) struct PredeclaredEndpoint {
    pub(super) method: Method,
    pub(super) route: String,
    pub(super) statuses: Vec<StatusCode>,
}

/// Which requests are not measured.
#[derive(Debug, Clone, Default)]
pub(super) struct SkipFilter(Option<Hook<SkipFn>>);

pub(super) type SkipFn = dyn Fn(&Method, &Uri) -> bool + Send + Sync;

impl SkipFilter {
    pub(super) fn new(skip: Hook<SkipFn>) -> Self {
        Self(Some(skip))
    }

    /// Returns true when the request is not to be measured. One of which the user's
    /// code cannot tell, because it panics, is.
    #[inline]
    pub(super) fn matches(&self, method: &Method, uri: &Uri) -> bool {
        let Some(hook) = &self.0 else {
            return false;
        };
        hook.call(|skip| skip(method, uri)).unwrap_or(false)
    }
}
