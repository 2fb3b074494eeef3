//! The layer's metrics: the families, and what is found in them once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
/// They begin on a cache line of their own: the reference count before them changes
/// with every request, and would take from all other threads what only is read here.
#[repr(align(128))]
pub(super) struct HttpMetrics {
    pub(super) families: Families,
    endpoints: InternMap<Endpoint>,
    outcome_series: InternMap<OutcomeSeries>,
    pub(super) settings: Settings,
    /// Whether there is something to note of every request.
    pub(super) needs_optional_state: bool,
    /// Whether all requests are marked, because a layer was called within another for
    /// a request of another body. Relaxed: only those under way then are not marked.
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

    /// Returns what is the same for all layers that count into these metrics.
    #[inline]
    pub(super) fn metrics_id(&self) -> usize {
        self.families.requests.address()
    }

    /// Begins what the layer knows of those within it, for one request.
    #[inline]
    pub(super) fn nesting_state(&self, extensions: &mut Extensions) -> NestingState {
        if self.marks_requests.load(Ordering::Relaxed) {
            mark_counted(extensions)
        } else {
            NestingState::default()
        }
    }

    /// Marks all requests from now on.
    pub(super) fn mark_requests(&self) {
        self.marks_requests.store(true, Ordering::Relaxed);
    }

    /// Returns a method of a route, by what the route is called by the router, or by
    /// the user.
    #[inline]
    pub(super) fn endpoint(&self, verb: MethodLabel, name: &RouteName<'_>) -> &Endpoint {
        let (hash, is) = self.endpoint_key(verb, &name.text);
        match self.endpoints.find(hash, is) {
            Some(endpoint) => endpoint,
            None => self.admit_endpoint(verb, name),
        }
    }

    /// Returns the endpoint at its position; there is none at any other.
    #[inline]
    pub(super) fn endpoint_at(&self, position: usize) -> Option<&Endpoint> {
        self.endpoints.get(position)
    }

    /// Returns one way in which the requests of an endpoint end; the layer has no
    /// labels of its own then.
    #[inline]
    pub(super) fn outcome_series(
        &self,
        endpoint: &Endpoint,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &OutcomeSeries {
        let number = status.map_or(0, |status| status.as_u16());
        let key = (endpoint.position, number, outcome as u8);
        let hash = self.outcome_series.hash(key);
        let found = self.outcome_series.find(hash, |ending| ending.key == key);
        match found {
            Some(ending) => ending,
            None => self.add_outcome_series(key, endpoint, status, outcome),
        }
    }

    /// Lends the series that have these values, which are those of the layer's own
    /// labels.
    pub(super) fn with_custom_labels<'a, T>(
        &self,
        endpoint: &'a Endpoint,
        status: Option<&'a StatusCode>,
        outcome: Outcome,
        own: impl Iterator<Item = &'a str>,
        run: impl FnOnce(&Counter, &Histogram) -> T,
    ) -> T {
        let status = status_label(status, self.settings.status_class);
        let mut values = [""; MAX_LABELS];
        let given = [endpoint.method.as_str(), &endpoint.route, status];
        let given = given.into_iter().chain(own).chain([outcome.as_str()]);
        let mut len = 0;
        for (value, given) in values.iter_mut().zip(given) {
            *value = given;
            len += 1;
        }
        let values = &mut values[..len];
        let requests = self.families.requests.get_or_create(values);
        // With what became of the values, so that a limit has the same effect on both.
        let duration = self.families.duration.get_or_create(&mut values[..len - 1]);
        run(requests, duration)
    }

    fn endpoint_key<'a>(
        &self,
        verb: MethodLabel,
        asked: &'a str,
    ) -> (u64, impl Fn(&Endpoint) -> bool + 'a) {
        let hash = self.endpoints.hash((verb, asked));
        let is =
            move |endpoint: &Endpoint| endpoint.method == verb && *endpoint.raw_route == *asked;
        (hash, is)
    }

    /// Returns the endpoint, or the one that takes its place where the limit of
    /// routes is reached. What is in flight decides that for all families; so endpoints
    /// are no more than its series and the routes that are grouped.
    #[cold]
    fn admit_endpoint(&self, verb: MethodLabel, name: &RouteName<'_>) -> &Endpoint {
        let settings = &self.settings;
        let asked = &*name.text;
        let named = settings.route_naming.group_or_route(asked);
        let mut values = [verb.as_str(), named];
        if name.is_trusted {
            self.families.in_flight.declare(&values);
        }
        let in_flight = self.families.in_flight.get_or_create(&mut values);
        let [_, route] = values;
        let folded = route != named;
        let asked = if folded { route } else { asked };
        let (hash, is) = self.endpoint_key(verb, asked);
        if let Some(endpoint) = self.endpoints.find(hash, &is) {
            return endpoint;
        }
        let mut streams = settings.stream_routes.iter();
        let make = |position| Endpoint {
            position,
            method: verb,
            raw_route: asked.into(),
            is_fallback: name.is_fallback && !folded,
            route: route.into(),
            in_flight: in_flight.clone(),
            is_stream: streams.any(|stream| settings.route_naming.group_or_route(stream) == route),
            service_level: self.service_level(verb, route),
            lazy_series: LazySeries::default(),
        };
        self.endpoints.find_or_add(hash, is, make)
    }

    fn service_level(&self, verb: MethodLabel, route: &str) -> Option<ServiceLevel> {
        let is =
            |(of, _): &&(String, Duration)| self.settings.route_naming.group_or_route(of) == route;
        // The last one that was chosen.
        let (_, within) = self.settings.service_levels.iter().rev().find(is)?;
        let seconds = within.as_secs_f64().to_string();
        let [requests, good] = self.families.service_levels.as_ref()?;
        let labels = [verb.as_str(), route, &*seconds];
        Some(ServiceLevel {
            target: *within,
            requests: requests.with(labels),
            good: good.with(labels),
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
        let none = [].into_iter();
        let ending = self.with_custom_labels(
            endpoint,
            status.as_ref(),
            outcome,
            none,
            |requests, duration| OutcomeSeries {
                key,
                requests: requests.clone(),
                duration: duration.clone(),
            },
        );
        let is = |ending: &OutcomeSeries| ending.key == key;
        self.outcome_series
            .find_or_add(self.outcome_series.hash(key), is, |_| ending)
    }

    /// Makes the series of what was declared.
    fn predeclare(&self) {
        for PredeclaredEndpoint {
            method,
            route,
            statuses,
        } in &self.settings.predeclared
        {
            let verb = MethodLabel::from_method(method);
            let endpoint = self.endpoint(verb, &RouteName::trusted(route));
            for status in statuses {
                let outcome = Outcome::from_head(verb, *status);
                let own = self.settings.custom_labels.iter().map(|_| NONE);
                let status = status_label(Some(status), self.settings.status_class);
                let values = [verb.as_str(), &*endpoint.route, status];
                let mut values: Vec<_> = values.into_iter().chain(own).collect();
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
