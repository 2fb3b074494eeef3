//! The settings of a layer.

use std::time::Duration;

use http::{Method, StatusCode, Uri};

use crate::context::{Clock, OnPanic, UserClosure};
use crate::metric::Buckets;
use crate::middleware::custom_labels::CustomLabels;
use crate::middleware::methods::MethodNames;
use crate::middleware::preset::Preset;
use crate::middleware::request_end::RequestEndFn;
use crate::middleware::route_name::RouteNaming;
use crate::middleware::trace_id::TraceIdSource;

#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub(super) struct Settings {
    pub(super) preset: Preset,
    pub(super) prefix: String,
    /// Of the duration. `None` stands for the preset's.
    pub(super) buckets: Option<Buckets>,
    /// Whether the duration has exponential buckets, whatever its classic ones are.
    pub(super) has_native_histograms: bool,
    /// Of the duration, by route. The last one of a route counts.
    pub(super) route_buckets: Vec<(String, Buckets)>,
    pub(super) skip: SkipFilter,
    /// Whether requests that would have the route `unmatched` are not counted.
    pub(super) skip_unmatched: bool,
    pub(super) methods: MethodNames,
    pub(super) route_naming: RouteNaming,
    /// The routes whose responses are always streams.
    pub(super) stream_routes: Vec<String>,
    /// The targets, by route. The last one of a route counts.
    pub(super) service_levels: Vec<(String, Duration)>,
    pub(super) predeclared: Vec<PredeclaredEndpoint>,
    pub(super) custom_labels: CustomLabels,
    /// The number of values of open labels. `None` stands for the default limit.
    pub(super) label_limit: Option<usize>,
    /// Whether the label `status` holds the class only.
    pub(super) status_class: bool,
    pub(super) time_to_head: bool,
    pub(super) time_to_first_byte: bool,
    pub(super) body_sizes: bool,
    /// Of the body sizes. `None` stands for the default ones.
    pub(super) body_size_buckets: Option<Buckets>,
    pub(super) trace_id_source: Option<TraceIdSource>,
    pub(super) clock: Clock,
    pub(super) on_request_end: Option<UserClosure<RequestEndFn>>,
}

impl Settings {
    /// Returns true if every request needs an
    /// [`OptionalState`](crate::middleware::optional_state::OptionalState).
    pub(super) fn needs_optional_state(&self) -> bool {
        self.body_sizes || self.on_request_end.is_some() || self.needs_request_head()
    }

    /// Returns true if the optional state of every request depends on its head.
    pub(super) fn needs_request_head(&self) -> bool {
        self.time_to_first_byte || self.trace_id_source.is_some() || !self.custom_labels.is_empty()
    }

    /// Sets what is called after a panic of a closure.
    pub(super) fn set_on_panic(&mut self, on_panic: &OnPanic) {
        for skip in &mut self.skip.0 {
            skip.set_on_panic(on_panic);
        }
        if let Some(route_fn) = &mut self.route_naming.route_fn {
            route_fn.set_on_panic(on_panic);
        }
        if let Some(TraceIdSource::Closure(trace_id)) = &mut self.trace_id_source {
            trace_id.set_on_panic(on_panic);
        }
        if let Some(on_request_end) = &mut self.on_request_end {
            on_request_end.set_on_panic(on_panic);
        }
        self.custom_labels.set_on_panic(on_panic);
        self.clock.set_on_panic(on_panic);
    }
}

/// An endpoint whose series are created at registration.
#[derive(Debug, Clone)]
pub(super) struct PredeclaredEndpoint {
    pub(super) method: Method,
    pub(super) route: String,
    pub(super) statuses: Vec<StatusCode>,
}

/// Decides which requests are not measured: those for which one of the closures returns true.
#[derive(Debug, Clone, Default)]
pub(super) struct SkipFilter(Vec<UserClosure<SkipFn>>);

pub(super) type SkipFn = dyn Fn(&Method, &Uri) -> bool + Send + Sync;

impl SkipFilter {
    pub(super) fn add(&mut self, skip: UserClosure<SkipFn>) {
        self.0.push(skip);
    }

    #[inline]
    pub(super) fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns true if the request is not to be measured. If the user's closure panics, the
    /// request is measured.
    #[inline]
    pub(super) fn matches(&self, method: &Method, uri: &Uri) -> bool {
        let skips = |closure: &UserClosure<SkipFn>| closure.call(|skip| skip(method, uri));
        self.0.iter().any(|closure| skips(closure) == Some(true))
    }
}
