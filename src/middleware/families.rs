//! The families that the layer records into.

use crate::error::Error;
use crate::metric::{Buckets, Counter, DynFamily, Family, Histogram, InFlight, Instrument, Label};
use crate::middleware::http_labels::NONE;
use crate::middleware::preset::{Names, OUTCOME_LABEL, WITHIN_LABEL};
use crate::middleware::settings::Settings;
use crate::registry::Registry;
use crate::snapshot::Role;

/// The layer's families.
///
/// Method, status and outcome come from closed sets, so no client can invent a value. Routes
/// that the user's closure returns are limited in `in_flight` alone:
/// [`HttpMetrics`](crate::middleware::metrics::HttpMetrics) admits a route there first, and uses
/// the admitted value in all other families. So all agree, and the limit of `requests` and
/// `duration` is left to the custom labels.
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
    /// `None` if no route has a service level.
    pub(super) service_levels: Option<ServiceLevelFamilies>,
}

/// The families of the routes that have a service level.
pub(super) struct ServiceLevelFamilies {
    pub(super) requests: Family<Counter, 3>,
    pub(super) good: Family<Counter, 3>,
}

/// A row of the table below: a family by its role, name, help text and labels.
struct FamilySpec<const N: usize> {
    role: Option<Role>,
    name: fn(&Names) -> &'static str,
    help: &'static str,
    labels: fn(&Names) -> [&'static str; N],
}

/// Also has the custom labels, and the outcome as the last one.
const REQUESTS: FamilySpec<3> = FamilySpec {
    role: Some(Role::HttpRequests),
    name: |names| names.requests,
    help: "HTTP requests that have ended, by outcome.",
    labels: |names| [names.method, names.route, names.status],
};

/// Also has the custom labels.
const DURATION: FamilySpec<3> = FamilySpec {
    role: Some(Role::HttpDuration),
    name: |names| names.duration,
    help: "Time from an HTTP request to the end of its response, or to the head of a stream, in \
           seconds.",
    labels: |names| [names.method, names.route, names.status],
};

/// Also has the route, as an open label.
const IN_FLIGHT: FamilySpec<1> = FamilySpec {
    role: Some(Role::HttpInFlight),
    name: |names| names.in_flight,
    help: "HTTP requests whose response has not ended.",
    labels: |names| [names.method],
};

const REQUEST_BYTES: FamilySpec<2> = FamilySpec {
    role: Some(Role::HttpRequestBytes),
    name: |names| names.request_bytes,
    help: "Bytes of HTTP request bodies that the service has read.",
    labels: |names| [names.method, names.route],
};

const RESPONSE_BYTES: FamilySpec<2> = FamilySpec {
    role: Some(Role::HttpResponseBytes),
    name: |names| names.response_bytes,
    help: "Bytes of HTTP response bodies that the server has read.",
    labels: |names| [names.method, names.route],
};

const STREAM_DURATION: FamilySpec<2> = FamilySpec {
    role: None,
    name: |names| names.stream_duration,
    help: "Time from an HTTP request to the end of its stream or upgraded connection, in seconds.",
    labels: |names| [names.method, names.route],
};

const STREAMS_IN_FLIGHT: FamilySpec<2> = FamilySpec {
    role: Some(Role::HttpStreamsInFlight),
    name: |names| names.streams_in_flight,
    help: "HTTP streams that have started and not ended.",
    labels: |names| [names.method, names.route],
};

const UPGRADES_IN_FLIGHT: FamilySpec<2> = FamilySpec {
    role: None,
    name: |names| names.upgrades_in_flight,
    help: "Upgraded connections whose `UpgradeGuard` is held.",
    labels: |names| [names.method, names.route],
};

const TIME_TO_HEAD: FamilySpec<3> = FamilySpec {
    role: None,
    name: |names| names.time_to_head,
    help: "Time from an HTTP request to the head of its response, in seconds.",
    labels: |names| [names.method, names.route, names.status],
};

const TIME_TO_FIRST_BYTE: FamilySpec<3> = FamilySpec {
    role: None,
    name: |names| names.time_to_first_byte,
    help: "Time from an HTTP request to the first byte of its response's body, in seconds.",
    labels: |names| [names.method, names.route, names.status],
};

const SERVICE_LEVEL_REQUESTS: FamilySpec<3> = FamilySpec {
    role: Some(Role::HttpServiceLevelRequests),
    name: |names| names.service_level_requests,
    help: "HTTP requests to routes with a service level, except those that the client cancelled \
           in time.",
    labels: |names| [names.method, names.route, WITHIN_LABEL],
};

const SERVICE_LEVEL_GOOD_REQUESTS: FamilySpec<3> = FamilySpec {
    role: Some(Role::HttpServiceLevelGood),
    name: |names| names.service_level_good_requests,
    help: "HTTP requests that met the service level of their route: in time, and no server error.",
    labels: |names| [names.method, names.route, WITHIN_LABEL],
};

/// The bucket bounds of stream durations, from a second to a day, since streams are meant to
/// stay open.
const STREAM_BOUNDS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

impl Families {
    pub(super) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let registry = match &*settings.prefix {
            "" => registry.clone(),
            prefix => registry.clone().with_prefix(prefix)?,
        };
        let names = settings.preset.names();
        let families = FamilyRegistrar { registry, names };
        let buckets = match (&settings.buckets, settings.preset.duration_bounds()) {
            (Some(buckets), _) => Some(buckets.clone()),
            (None, Some(bounds)) => Some(Buckets::new(bounds)?),
            (None, None) => None,
        };
        let custom = settings.custom_labels.iter();
        let custom: Vec<_> = custom.map(|custom| custom.label.clone()).collect();
        let with_outcome = [&custom[..], &[Label::unlimited(OUTCOME_LABEL)]].concat();
        // Registered first, because it has all labels: if one is not valid, nothing was created.
        let requests = families.dyn_family(&REQUESTS, &with_outcome, None)?;
        let duration: DynFamily<Histogram> =
            families.dyn_family(&DURATION, &custom, buckets.clone())?;
        // The first buckets of a route stay, so the settings of this layer that came last are
        // set first.
        for (route, buckets) in settings.route_buckets.iter().rev() {
            let route = settings.route_naming.group_or_route(route);
            duration.buckets_for(names.route, route, buckets.clone());
        }
        let stream_buckets = Some(Buckets::new(&STREAM_BOUNDS)?);
        let optional = |is_enabled: bool, spec| {
            let create = || families.histogram(spec, buckets.clone());
            is_enabled.then(create).transpose()
        };
        let families = Self {
            requests,
            duration,
            in_flight: families.dyn_family(&IN_FLIGHT, &[Label::open(names.route)], None)?,
            request_bytes: families.counter(&REQUEST_BYTES)?,
            response_bytes: families.counter(&RESPONSE_BYTES)?,
            stream_duration: families.histogram(&STREAM_DURATION, stream_buckets)?,
            streams_in_flight: families.dyn_family(&STREAMS_IN_FLIGHT, &[], None)?,
            upgrades_in_flight: families.dyn_family(&UPGRADES_IN_FLIGHT, &[], None)?,
            time_to_head: optional(settings.time_to_head, &TIME_TO_HEAD)?,
            time_to_first_byte: optional(settings.time_to_first_byte, &TIME_TO_FIRST_BYTE)?,
            service_levels: (!settings.service_levels.is_empty())
                .then(|| ServiceLevelFamilies::new(&families))
                .transpose()?,
        };
        families.set_limits(settings);
        Ok(families)
    }

    /// Sets the limit of open labels, and exempts the value `none` from it.
    fn set_limits(&self, settings: &Settings) {
        if let Some(values) = settings.label_limit {
            self.requests.limit(values);
            self.duration.limit(values);
            self.in_flight.limit(values);
        }
        for custom in settings.custom_labels.iter() {
            self.requests.declare_value(custom.label.name(), NONE);
            self.duration.declare_value(custom.label.name(), NONE);
        }
    }
}

impl ServiceLevelFamilies {
    fn new(families: &FamilyRegistrar) -> Result<Self, Error> {
        Ok(Self {
            requests: families.counter(&SERVICE_LEVEL_REQUESTS)?,
            good: families.counter(&SERVICE_LEVEL_GOOD_REQUESTS)?,
        })
    }
}

/// Registers rows of the table under the names of a preset.
struct FamilyRegistrar {
    registry: Registry,
    names: &'static Names,
}

impl FamilyRegistrar {
    fn counter<const N: usize>(&self, spec: &FamilySpec<N>) -> Result<Family<Counter, N>, Error> {
        let (name, labels) = ((spec.name)(self.names), self.labels(spec));
        self.registry(spec).counter_family(name, spec.help, labels)
    }

    /// Registers a histogram, of the default buckets if there are none.
    fn histogram<const N: usize>(
        &self,
        spec: &FamilySpec<N>,
        buckets: Option<Buckets>,
    ) -> Result<Family<Histogram, N>, Error> {
        let (name, labels) = ((spec.name)(self.names), self.labels(spec));
        let registry = self.registry(spec);
        match buckets {
            Some(buckets) => {
                registry.histogram_family_with_buckets(name, spec.help, labels, buckets)
            }
            None => registry.histogram_family(name, spec.help, labels),
        }
    }

    /// Registers a family that has further labels after those of the table.
    fn dyn_family<M: Instrument, const N: usize>(
        &self,
        spec: &FamilySpec<N>,
        further_labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<DynFamily<M>, Error> {
        let labels = [&self.labels(spec)[..], further_labels].concat();
        let name = (spec.name)(self.names);
        self.registry(spec)
            .dyn_family(name, spec.help, &labels, settings)
    }

    fn labels<const N: usize>(&self, spec: &FamilySpec<N>) -> [Label<'static>; N] {
        (spec.labels)(self.names).map(Label::unlimited)
    }

    fn registry<const N: usize>(&self, spec: &FamilySpec<N>) -> Registry {
        match spec.role {
            Some(role) => self.registry.with_role(role),
            None => self.registry.clone(),
        }
    }
}
