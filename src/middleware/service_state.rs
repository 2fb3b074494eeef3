//! What a wrapped service keeps between requests.

use std::sync::{Arc, OnceLock};

use http::Request;

use crate::context::{
    RouteKind, UNMATCHED, find_slot, has_card, leave_card, nest_prefix, outer_nest, route_template,
};
use crate::metric::InternMap;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::head::with_head;
use crate::middleware::measurement::{Measurement, NestedRequest};
use crate::middleware::methods::MethodLabel;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::record::Record;
use crate::middleware::route_name::RouteName;

/// What a wrapped service and its clones keep between requests.
///
/// axum wraps each route separately and clones the service for each request. So the
/// requests of a route change the reference count of its state, and not one that all routes
/// share.
pub(super) struct ServiceState {
    pub(super) metrics: Arc<HttpMetrics>,
    /// The endpoint of the first request, by method without the additional ones. In axum, it is that of all others.
    first_endpoints: [OnceLock<Arc<Endpoint>>; MethodLabel::COUNT],
    nest_prefixes: OnceLock<Box<InternMap<NestPrefix>>>,
}

/// The path at which this service is nested, if the router that calls it is nested at `outer`.
struct NestPrefix {
    outer: Box<str>,
    prefix: Option<Box<str>>,
}

impl ServiceState {
    pub(super) fn new(metrics: Arc<HttpMetrics>) -> Self {
        Self {
            metrics,
            first_endpoints: [const { OnceLock::new() }; MethodLabel::COUNT],
            nest_prefixes: OnceLock::new(),
        }
    }

    /// Starts to measure a request, unless it is skipped or an outer layer counts it.
    #[inline]
    pub(super) fn start<B>(self: &Arc<Self>, request: &mut Request<B>) -> Measurement {
        let shared = &self.metrics.shared;
        if shared.settings.skip.is_set() && self.skips(request) {
            return Measurement::Off;
        }
        let is_outermost = leave_card(request.extensions_mut(), &shared.id);
        let method = shared.settings.methods.label(request.method());
        let (endpoint, kind) = self.endpoint(method, request);
        if is_outermost {
            Measurement::Counted(Record::start(self, endpoint, kind, request))
        } else {
            let slot = find_slot(request.extensions(), &shared.id);
            Measurement::Nested(NestedRequest::new(endpoint, kind, slot))
        }
    }

    /// Returns true if the request is not to be measured. If an outer layer counts it, that one
    /// has decided.
    fn skips<B>(&self, request: &Request<B>) -> bool {
        let shared = &self.metrics.shared;
        let skip = &shared.settings.skip;
        !has_card(request.extensions(), &shared.id) && skip.matches(request.method(), request.uri())
    }

    /// Returns the endpoint of a request, and how its route is known.
    #[inline]
    fn endpoint<B>(
        &self,
        method: MethodLabel,
        request: &mut Request<B>,
    ) -> (Arc<Endpoint>, RouteKind) {
        let naming = &self.metrics.shared.settings.route_naming;
        if naming.route_fn.is_some() {
            return self.endpoint_by_closure(method, request);
        }
        match route_template(request.extensions()) {
            Some(template) => (
                self.named_endpoint(method, &RouteName::trusted(template)),
                RouteKind::Named,
            ),
            None => self.endpoint_without_template(method, request),
        }
    }

    /// Returns the endpoint of a route, fast if it is the first one.
    #[inline]
    fn named_endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> Arc<Endpoint> {
        let first = self.first_endpoints.get(method.position());
        if let Some(first) = first.and_then(OnceLock::get)
            && *first.raw_route == *name.text
        {
            return Arc::clone(first);
        }
        self.other_endpoint(method, name)
    }

    fn other_endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> Arc<Endpoint> {
        let endpoint = self.metrics.endpoint(method, name);
        if let Some(first) = self.first_endpoints.get(method.position()) {
            first.get_or_init(|| Arc::clone(endpoint));
        }
        Arc::clone(endpoint)
    }

    fn endpoint_by_closure<B>(
        &self,
        method: MethodLabel,
        request: &mut Request<B>,
    ) -> (Arc<Endpoint>, RouteKind) {
        let naming = &self.metrics.shared.settings.route_naming;
        let endpoint = naming.route_fn.as_ref().and_then(|closure| {
            with_head(request, |head| {
                let name = closure.call(|route| route(head)).flatten()?;
                Some(self.metrics.endpoint(method, &RouteName::untrusted(name)))
            })
        });
        if let Some(endpoint) = endpoint {
            return (Arc::clone(endpoint), RouteKind::Named);
        }
        match route_template(request.extensions()) {
            Some(template) => (
                self.named_endpoint(method, &RouteName::trusted(template)),
                RouteKind::Named,
            ),
            None => self.endpoint_without_template(method, request),
        }
    }

    fn endpoint_without_template<B>(
        &self,
        method: MethodLabel,
        request: &Request<B>,
    ) -> (Arc<Endpoint>, RouteKind) {
        let naming = &self.metrics.shared.settings.route_naming;
        let name = naming.fallback.as_deref();
        let name = name.or_else(|| self.nest_prefix(request));
        let kind = match name {
            Some(_) => RouteKind::Placeholder,
            None => RouteKind::Unmatched,
        };
        let name = RouteName::trusted(name.unwrap_or(UNMATCHED));
        (self.named_endpoint(method, &name), kind)
    }

    /// Returns the path at which the service is nested in axum's router, if it is.
    ///
    /// The path where the router itself is nested decides it: the service has one place
    /// in that router.
    fn nest_prefix<B>(&self, request: &Request<B>) -> Option<&str> {
        let outer = outer_nest(request.extensions());
        let prefixes = self
            .nest_prefixes
            .get_or_init(|| Box::new(InternMap::new()));
        let hash = prefixes.hash(outer);
        let is_match = |prefix: &NestPrefix| *prefix.outer == *outer;
        let found = prefixes.find(hash, is_match).unwrap_or_else(|| {
            let prefix = nest_prefix(request.extensions()).map(Into::into);
            prefixes.find_or_add(hash, is_match, |_| NestPrefix {
                outer: outer.into(),
                prefix,
            })
        });
        found.prefix.as_deref()
    }
}
