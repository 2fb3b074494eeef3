//! The layer's metrics: its endpoints, which are added as requests come.

use std::sync::Arc;

use crate::context::{RouteId, register_routes};
use crate::error::Error;
use crate::metric::InternMap;
use crate::middleware::endpoint::{Endpoint, LazySeries};
use crate::middleware::http_labels::{NONE, status_label};
use crate::middleware::methods::MethodLabel;
use crate::middleware::outcome::Outcome;
use crate::middleware::route_name::RouteName;
use crate::middleware::service_level::ServiceLevel;
use crate::middleware::settings::{PredeclaredEndpoint, Settings};
use crate::middleware::shared_metrics::SharedMetrics;
use crate::registry::Registry;

/// The layer's metrics, shared by all its services.
pub(super) struct HttpMetrics {
    pub(super) shared: Arc<SharedMetrics>,
    endpoints: InternMap<Endpoint>,
}

impl HttpMetrics {
    pub(super) fn new(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        let shared = Arc::new(SharedMetrics::new(registry, settings)?);
        register_routes(&shared);
        let metrics = Self {
            shared,
            endpoints: InternMap::new(),
        };
        metrics.predeclare();
        Ok(metrics)
    }

    /// Returns the endpoint of a method and a route.
    #[inline]
    pub(super) fn endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> &Arc<Endpoint> {
        let (hash, is_match) = self.endpoint_key(method, &name.text);
        match self.endpoints.find(hash, is_match) {
            Some(endpoint) => endpoint,
            None => self.admit_endpoint(method, name),
        }
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
    fn admit_endpoint(&self, method: MethodLabel, name: &RouteName<'_>) -> &Arc<Endpoint> {
        let shared = &self.shared;
        let settings = &shared.settings;
        let raw_route = &*name.text;
        let requested = settings.route_naming.group_or_route(raw_route);
        let mut values = [settings.methods.name(method), requested];
        if name.is_trusted {
            shared.families.in_flight.declare(&values);
        }
        let in_flight = shared.families.in_flight.get_or_create(&mut values);
        let [_, route] = values;
        let is_overflow = route != requested;
        let raw_route = if is_overflow { route } else { raw_route };
        let (hash, is_match) = self.endpoint_key(method, raw_route);
        if let Some(endpoint) = self.endpoints.find(hash, &is_match) {
            return endpoint;
        }
        let route: Arc<str> = route.into();
        let mut streams = settings.stream_routes.iter();
        let create = |position| {
            shared.add_route(Arc::clone(&route));
            Endpoint {
                metrics: Arc::clone(shared),
                position,
                method,
                raw_route: raw_route.into(),
                route_id: RouteId::new(&**shared, position),
                in_flight: in_flight.clone(),
                is_stream: streams
                    .any(|stream| settings.route_naming.group_or_route(stream) == &*route),
                service_level: self.service_level(method, &route),
                lazy_series: LazySeries::default(),
                route,
            }
        };
        self.endpoints.find_or_add(hash, is_match, create)
    }

    fn service_level(&self, method: MethodLabel, route: &str) -> Option<ServiceLevel> {
        let settings = &self.shared.settings;
        let (_, target) = settings
            .service_levels
            .iter()
            .rev()
            .find(|(raw_route, _)| settings.route_naming.group_or_route(raw_route) == route)?;
        let families = self.shared.families.service_levels.as_ref()?;
        let seconds = target.as_secs_f64().to_string();
        let labels = &mut [settings.methods.name(method), route, &*seconds];
        Some(ServiceLevel {
            target: *target,
            requests: families.requests.get_or_create(labels),
            good: families.good.get_or_create(labels),
        })
    }

    /// Creates the series of the predeclared endpoints.
    fn predeclare(&self) {
        let SharedMetrics {
            families, settings, ..
        } = &*self.shared;
        for PredeclaredEndpoint {
            method,
            route,
            statuses,
        } in &settings.predeclared
        {
            let method = settings.methods.label(method);
            let endpoint = self.endpoint(method, &RouteName::trusted(route));
            for status in statuses {
                let outcome = Outcome::from_head(method, *status);
                let custom_values = settings.custom_labels.iter().map(|_| NONE);
                let status = status_label(Some(status), settings.status_class);
                let fixed = [endpoint.method_name(), &*endpoint.route, status];
                let mut values: Vec<_> = fixed.into_iter().chain(custom_values).collect();
                families.duration.declare(&values);
                values.push(outcome.as_str());
                families.requests.declare(&values);
            }
        }
    }
}
