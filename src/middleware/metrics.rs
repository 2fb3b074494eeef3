//! The layer's metrics: the families, and the series that were looked up in them once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Extensions, StatusCode};

use crate::context::{NestingState, RouteTable, mark_counted};
use crate::error::Error;
use crate::metric::{Counter, Histogram, InternMap, MAX_LABELS};
use crate::middleware::endpoint::{Endpoint, LazySeries, OutcomeKey, OutcomeSeries};
use crate::middleware::families::Families;
use crate::middleware::http_labels::{MethodLabel, NONE, status_label};
use crate::middleware::outcome::Outcome;
use crate::middleware::placement::Placement;
use crate::middleware::route_name::RouteName;
use crate::middleware::service_level::ServiceLevel;
use crate::middleware::settings::{PredeclaredEndpoint, Settings};
use crate::registry::Registry;

/// The layer's metrics, shared by all its services.
///
/// They start on a separate cache line: the reference count before them changes with every
/// request, which would evict these read-only fields from the caches of other threads.
#[repr(align(128))]
pub(super) struct HttpMetrics {
    pub(super) families: Families,
    endpoints: InternMap<Endpoint>,
    outcome_series: InternMap<OutcomeSeries>,
    pub(super) settings: Settings,
    /// Whether every request needs an `OptionalState`.
    pub(super) needs_optional_state: bool,
    /// Whether a marker is put into the extensions of requests. It is needed if middleware between
    /// two nested layers replaces the body, which normally carries the marker. Relaxed: only
    /// requests in flight at that time are not marked.
    marks_requests: AtomicBool,
    pub(super) placement: Placement,
}

impl HttpMetrics {
    pub(super) fn new(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        let metrics = Self {
            families: Families::new(registry, &settings)?,
            endpoints: InternMap::new(),
            outcome_series: InternMap::new(),
            needs_optional_state: settings.needs_optional_state(),
            settings,
            marks_requests: AtomicBool::new(false),
            placement: Placement::default(),
        };
        metrics.predeclare();
        Ok(metrics)
    }

    /// Returns an id that all layers of the same metrics share.
    #[inline]
    pub(super) fn metrics_id(&self) -> usize {
        self.families.requests.address()
    }

    /// Returns the initial state of a request that may pass inner layers.
    #[inline]
    pub(super) fn nesting_state(&self, extensions: &mut Extensions) -> NestingState {
        if self.marks_requests.load(Ordering::Relaxed) {
            mark_counted(extensions)
        } else {
            NestingState::default()
        }
    }

    /// From now on, puts a marker into the extensions of all requests.
    pub(super) fn mark_requests(&self) {
        self.marks_requests.store(true, Ordering::Relaxed);
    }

    /// Returns the endpoint of a method and a route.
    #[inline]
    pub(super) fn endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> &Endpoint {
        let (hash, is_match) = self.endpoint_key(method, &name.text);
        match self.endpoints.find(hash, is_match) {
            Some(endpoint) => endpoint,
            None => self.admit_endpoint(method, name),
        }
    }

    /// Returns the endpoint at a position.
    #[inline]
    pub(super) fn endpoint_at(&self, position: usize) -> Option<&Endpoint> {
        self.endpoints.get(position)
    }

    /// Returns the series of an endpoint's requests that ended with this status and outcome. Only
    /// for layers without custom labels.
    #[inline]
    pub(super) fn outcome_series(
        &self,
        endpoint: &Endpoint,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &OutcomeSeries {
        let code = status.map_or(0, |status| status.as_u16());
        let key = (endpoint.position, code, outcome as u8);
        let hash = self.outcome_series.hash(key);
        match self.outcome_series.find(hash, |series| series.key == key) {
            Some(series) => series,
            None => self.add_outcome_series(key, endpoint, status, outcome),
        }
    }

    /// Lends the series that have these values of the custom labels.
    pub(super) fn with_custom_labels<'a, T>(
        &self,
        endpoint: &'a Endpoint,
        status: Option<&'a StatusCode>,
        outcome: Outcome,
        custom_values: impl Iterator<Item = &'a str>,
        run: impl FnOnce(&Counter, &Histogram) -> T,
    ) -> T {
        let status = status_label(status, self.settings.status_class);
        let mut values = [""; MAX_LABELS];
        let fixed = [endpoint.method.as_str(), &endpoint.route, status];
        let all = fixed.into_iter().chain(custom_values);
        let mut len = 0;
        for (slot, value) in values.iter_mut().zip(all.chain([outcome.as_str()])) {
            *slot = value;
            len += 1;
        }
        let values = &mut values[..len];
        let requests = self.families.requests.get_or_create(values);
        // With the admitted values, so that a limit has the same effect on both.
        let duration = self.families.duration.get_or_create(&mut values[..len - 1]);
        run(requests, duration)
    }

    fn endpoint_key<'a>(
        &self,
        method: MethodLabel,
        raw_route: &'a str,
    ) -> (u64, impl Fn(&Endpoint) -> bool + 'a) {
        let hash = self.endpoints.hash((method, raw_route));
        let is_match = move |endpoint: &Endpoint| {
            endpoint.method == method && *endpoint.raw_route == *raw_route
        };
        (hash, is_match)
    }

    /// Creates the endpoint, or returns that of the overflow route if the limit is reached.
    ///
    /// The family `in_flight` decides that for all families. So there are no more endpoints than
    /// series of it, plus the routes that are in groups.
    #[cold]
    fn admit_endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> &Endpoint {
        let settings = &self.settings;
        let raw_route = &*name.text;
        let requested = settings.route_naming.group_or_route(raw_route);
        let mut values = [method.as_str(), requested];
        if name.is_trusted {
            self.families.in_flight.declare(&values);
        }
        let in_flight = self.families.in_flight.get_or_create(&mut values);
        let [_, route] = values;
        let is_overflow = route != requested;
        let raw_route = if is_overflow { route } else { raw_route };
        let (hash, is_match) = self.endpoint_key(method, raw_route);
        if let Some(endpoint) = self.endpoints.find(hash, &is_match) {
            return endpoint;
        }
        let mut streams = settings.stream_routes.iter();
        let create = |position| Endpoint {
            position,
            method,
            raw_route: raw_route.into(),
            is_fallback: name.is_fallback && !is_overflow,
            route: route.into(),
            in_flight: in_flight.clone(),
            is_stream: streams.any(|stream| settings.route_naming.group_or_route(stream) == route),
            service_level: self.service_level(method, route),
            lazy_series: LazySeries::default(),
        };
        self.endpoints.find_or_add(hash, is_match, create)
    }

    fn service_level(&self, method: MethodLabel, route: &str) -> Option<ServiceLevel> {
        let settings = &self.settings;
        let (_, target) = settings
            .service_levels
            .iter()
            .rev()
            .find(|(raw_route, _)| settings.route_naming.group_or_route(raw_route) == route)?;
        let families = self.families.service_levels.as_ref()?;
        let seconds = target.as_secs_f64().to_string();
        let labels = &mut [method.as_str(), route, &*seconds];
        Some(ServiceLevel {
            target: *target,
            requests: families.requests.get_or_create(labels).clone(),
            good: families.good.get_or_create(labels).clone(),
        })
    }

    #[cold]
    fn add_outcome_series(
        &self,
        key: OutcomeKey,
        endpoint: &Endpoint,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &OutcomeSeries {
        let no_custom_values = [].into_iter();
        let created = self.with_custom_labels(
            endpoint,
            status.as_ref(),
            outcome,
            no_custom_values,
            |requests, duration| OutcomeSeries {
                key,
                requests: requests.clone(),
                duration: duration.clone(),
            },
        );
        let hash = self.outcome_series.hash(key);
        let is_match = |series: &OutcomeSeries| series.key == key;
        self.outcome_series.find_or_add(hash, is_match, |_| created)
    }

    /// Creates the series of the predeclared endpoints.
    fn predeclare(&self) {
        for PredeclaredEndpoint {
            method,
            route,
            statuses,
        } in &self.settings.predeclared
        {
            let method = MethodLabel::from_method(method);
            let endpoint = self.endpoint(method, &RouteName::trusted(route));
            for status in statuses {
                let outcome = Outcome::from_head(method, *status);
                let custom_values = self.settings.custom_labels.iter().map(|_| NONE);
                let status = status_label(Some(status), self.settings.status_class);
                let fixed = [method.as_str(), &*endpoint.route, status];
                let mut values: Vec<_> = fixed.into_iter().chain(custom_values).collect();
                self.families.duration.declare(&values);
                values.push(outcome.as_str());
                self.families.requests.declare(&values);
            }
        }
    }
}

impl RouteTable for HttpMetrics {
    fn route(&self, position: usize) -> Option<Arc<str>> {
        Some(Arc::clone(&self.endpoint_at(position)?.route))
    }
}
