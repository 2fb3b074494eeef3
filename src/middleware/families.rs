//! The families that the layer records into.

use crate::error::Error;
use crate::metric::{Buckets, Counter, DynFamily, Family, Histogram, InFlight, Label};
use crate::middleware::http_labels::NONE;
use crate::middleware::preset::{Names, OUTCOME_LABEL, WITHIN_LABEL};
use crate::middleware::settings::Settings;
use crate::registry::Registry;
use crate::snapshot::Role;

/// The layer's families.
///
/// No client can invent a value of method, status and outcome, which come from closed
/// sets. The routes that the user's closure returns have a limit in one family alone:
/// [`HttpMetrics`](crate::middleware::metrics::HttpMetrics) asks what is in flight
/// first, and gives the others what was admitted there. So all agree, and the own labels
/// of requests and durations have their limit to themselves.
pub(super) struct Families {
    pub(super) requests: DynFamily<Counter>,
    pub(super) duration: DynFamily<Histogram>,
    pub(super) in_flight: DynFamily<InFlight>,
    pub(super) request_bytes: Family<Counter, 2>,
    pub(super) response_bytes: Family<Counter, 2>,
    pub(super) stream_duration: Family<Histogram, 2>,
    pub(super) streams_in_flight: DynFamily<InFlight>,
    pub(super) upgrades_in_flight: DynFamily<InFlight>,
    pub(super) time_to_head: Option<Family<Histogram, 3>>,
    pub(super) time_to_first_byte: Option<Family<Histogram, 3>>,
    /// Of the requests to routes that have a service level, and of those that kept it.
    pub(super) service_levels: Option<[Family<Counter, 3>; 2]>,
}

/// The bounds of how long streams live, from a second to a day: they are left
/// open on purpose.
const STREAM_SECONDS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

impl Families {
    pub(super) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let registry = &match &*settings.prefix {
            "" => registry.clone(),
            prefix => registry.clone().with_prefix(prefix)?,
        };
        let names = settings.preset.names();
        let method = Label::unlimited(names.method);
        let status = Label::unlimited(names.status);
        let route = Label::unlimited(names.route);
        let own = settings.custom_labels.iter().map(|own| own.label.clone());
        // What the duration has, the requests have, too, and the outcome last.
        let mut labels = vec![method.clone(), route.clone(), status.clone()];
        labels.extend(own);
        let buckets = match (&settings.buckets, settings.preset.duration_bounds()) {
            (Some(buckets), _) => Some(buckets.clone()),
            (None, Some(bounds)) => Some(Buckets::new(bounds)?),
            (None, None) => None,
        };
        labels.push(Label::unlimited(OUTCOME_LABEL));
        // First of all, since it has all labels: if one is not valid, nothing was made.
        let requests = registry.with_role(Role::HttpRequests).dyn_family(
            names.requests,
            "HTTP requests that have ended, by outcome.",
            &labels,
            None,
        )?;
        labels.pop();
        let duration = registry
            .with_role(Role::HttpDuration)
            .dyn_family::<Histogram>(
                names.duration,
                "Time from an HTTP request to the end of its response, or to the head of a stream, in \
                 seconds.",
                &labels,
                buckets.clone(),
            )?;
        // What was chosen last comes first, and stays.
        for (route, buckets) in settings.route_buckets.iter().rev() {
            let route = settings.route_naming.group_or_route(route);
            duration.buckets_for(names.route, route, buckets.clone());
        }
        let pair = [method.clone(), route.clone()];
        let in_flight =
            |registry: &Registry, name, help| registry.dyn_family(name, help, &pair, None);
        let limited = [method.clone(), Label::open(names.route)];
        let clock = |is_on: bool, name, help| {
            let labels = [method.clone(), route.clone(), status.clone()];
            is_on
                .then(|| clock(registry, name, help, labels, buckets.clone()))
                .transpose()
        };
        let families = Self {
            requests,
            duration,
            in_flight: registry.with_role(Role::HttpInFlight).dyn_family(
                names.in_flight,
                "HTTP requests whose response has not ended.",
                &limited,
                None,
            )?,
            request_bytes: registry.with_role(Role::HttpRequestBytes).counter_family(
                names.request_bytes,
                "Bytes of HTTP request bodies that the service has read.",
                pair.clone(),
            )?,
            response_bytes: registry.with_role(Role::HttpResponseBytes).counter_family(
                names.response_bytes,
                "Bytes of HTTP response bodies that the server has read.",
                pair.clone(),
            )?,
            stream_duration: registry.histogram_family_with_buckets(
                names.stream_duration,
                "Time from an HTTP request to the end of its stream or upgraded connection, in seconds.",
                pair.clone(),
                Buckets::new(&STREAM_SECONDS)?,
            )?,
            streams_in_flight: in_flight(
                &registry.with_role(Role::HttpStreamsInFlight),
                names.streams_in_flight,
                "HTTP streams that have started and not ended.",
            )?,
            upgrades_in_flight: in_flight(
                registry,
                names.upgrades_in_flight,
                "Upgraded connections whose `UpgradeGuard` is held.",
            )?,
            time_to_head: clock(
                settings.time_to_head,
                names.time_to_head,
                "Time from an HTTP request to the head of its response, in seconds.",
            )?,
            time_to_first_byte: clock(
                settings.time_to_first_byte,
                names.time_to_first_byte,
                "Time from an HTTP request to the first byte of its response's body, in seconds.",
            )?,
            service_levels: levels(registry, names, settings, &pair)?,
        };
        families.limit(settings);
        Ok(families)
    }

    /// Sets how many values of the user's there may be, and which do not count.
    fn limit(&self, settings: &Settings) {
        if let Some(values) = settings.label_limit {
            self.requests.limit(values);
            self.duration.limit(values);
            self.in_flight.limit(values);
        }
        for own in settings.custom_labels.iter() {
            self.requests.declare_value(own.label.name(), NONE);
            self.duration.declare_value(own.label.name(), NONE);
        }
    }
}

/// Returns the family of a clock that was asked for, beside that of the duration.
fn clock(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: [Label<'_>; 3],
    buckets: Option<Buckets>,
) -> Result<Family<Histogram, 3>, Error> {
    match buckets {
        Some(buckets) => registry.histogram_family_with_buckets(name, help, labels, buckets),
        None => registry.histogram_family(name, help, labels),
    }
}

/// Returns the families of all requests of the routes that have a level, and of
/// those that kept it, if there is such a route.
fn levels(
    registry: &Registry,
    names: &Names,
    settings: &Settings,
    labels: &[Label<'_>; 2],
) -> Result<Option<[Family<Counter, 3>; 2]>, Error> {
    if settings.service_levels.is_empty() {
        return Ok(None);
    }
    let [method, route] = labels;
    let labels = [
        method.clone(),
        route.clone(),
        Label::unlimited(WITHIN_LABEL),
    ];
    let requests = registry.with_role(Role::HttpServiceLevelRequests).counter_family(
        names.service_level_requests,
        "HTTP requests to routes with a service level, without those whose client left in time.",
        labels.clone(),
    )?;
    let good = registry.with_role(Role::HttpServiceLevelGood).counter_family(
        names.service_level_good_requests,
        "HTTP requests that met the service level of their route: in time, and no server error.",
        labels,
    )?;
    Ok(Some([requests, good]))
}
