//! The families that the layer records into.

use crate::error::Error;
use crate::metric::{Buckets, Counter, DynFamily, Histogram, InFlight, Instrument, Label};
use crate::middleware::body_sizes::BodySizeFamilies;
use crate::middleware::http_labels::NONE;
use crate::middleware::preset::{Names, OUTCOME_LABEL, Preset, WITHIN_LABEL};
use crate::middleware::semantic_names::semantic_names;
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
    pub(super) request_bytes: DynFamily<Counter>,
    pub(super) unmeasured_request_bodies: DynFamily<Counter>,
    pub(super) response_bytes: DynFamily<Counter>,
    pub(super) stream_duration: DynFamily<Histogram>,
    pub(super) streams_in_flight: DynFamily<InFlight>,
    pub(super) upgrades_in_flight: DynFamily<InFlight>,
    pub(super) time_to_head: Option<DynFamily<Histogram>>,
    pub(super) time_to_first_byte: Option<DynFamily<Histogram>>,
    pub(super) body_sizes: Option<BodySizeFamilies>,
    /// `None` if no route has a service level.
    pub(super) service_levels: Option<ServiceLevelFamilies>,
}

/// The families of the routes that have a service level.
pub(super) struct ServiceLevelFamilies {
    pub(super) requests: DynFamily<Counter>,
    pub(super) good: DynFamily<Counter>,
}

/// A row of the table below: a family by its role, name, help text and labels.
struct FamilySpec {
    role: Option<Role>,
    name: fn(&Names) -> &'static str,
    help: &'static str,
    labels: fn(&Names) -> Vec<&'static str>,
}

/// Also has the custom labels, and the outcome as the last one.
const REQUESTS: FamilySpec = FamilySpec {
    role: Some(Role::HttpRequests),
    name: |names| names.requests,
    help: "HTTP requests that have ended, by outcome.",
    labels: |names| vec![names.method, names.route, names.status],
};

/// Also has the custom labels.
const DURATION: FamilySpec = FamilySpec {
    role: Some(Role::HttpDuration),
    name: |names| names.duration,
    help: "Time from an HTTP request to the end of its response, or to the head of a stream, in \
           seconds.",
    labels: |names| vec![names.method, names.route, names.status],
};

/// Also has the route, as an open label.
const IN_FLIGHT: FamilySpec = FamilySpec {
    role: Some(Role::HttpInFlight),
    name: |names| names.in_flight,
    help: "HTTP requests whose response has not ended.",
    labels: |names| vec![names.method],
};

const REQUEST_BYTES: FamilySpec = FamilySpec {
    role: Some(Role::HttpRequestBytes),
    name: |names| names.request_bytes,
    help: "Bytes of HTTP request bodies that the service has read.",
    labels: |names| vec![names.method, names.route],
};

const UNMEASURED_REQUEST_BODIES: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.unmeasured_request_bodies,
    help: "HTTP requests with a body of a type whose bytes the layer cannot count.",
    labels: |names| vec![names.method, names.route],
};

const RESPONSE_BYTES: FamilySpec = FamilySpec {
    role: Some(Role::HttpResponseBytes),
    name: |names| names.response_bytes,
    help: "Bytes of HTTP response bodies that the server has read.",
    labels: |names| vec![names.method, names.route],
};

const STREAM_DURATION: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.stream_duration,
    help: "Time from an HTTP request to the end of its stream or upgraded connection, in seconds.",
    labels: |names| vec![names.method, names.route],
};

const STREAMS_IN_FLIGHT: FamilySpec = FamilySpec {
    role: Some(Role::HttpStreamsInFlight),
    name: |names| names.streams_in_flight,
    help: "HTTP streams that have started and not ended.",
    labels: |names| vec![names.method, names.route],
};

const UPGRADES_IN_FLIGHT: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.upgrades_in_flight,
    help: "Upgraded connections whose `UpgradeGuard` is held.",
    labels: |names| vec![names.method, names.route],
};

const TIME_TO_HEAD: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.time_to_head,
    help: "Time from an HTTP request to the head of its response, in seconds.",
    labels: |names| vec![names.method, names.route, names.status],
};

const TIME_TO_FIRST_BYTE: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.time_to_first_byte,
    help: "Time from an HTTP request to the first byte of its response's body, in seconds.",
    labels: |names| vec![names.method, names.route, names.status],
};

/// May also have the status.
const REQUEST_BODY_SIZE: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.request_body_size,
    help: "Bytes of an HTTP request body that the service had read when the request ended.",
    labels: |names| vec![names.method, names.route],
};

/// May also have the status.
const RESPONSE_BODY_SIZE: FamilySpec = FamilySpec {
    role: None,
    name: |names| names.response_body_size,
    help: "Bytes of an HTTP response body that the server had read when the request ended.",
    labels: |names| vec![names.method, names.route],
};

const SERVICE_LEVEL_REQUESTS: FamilySpec = FamilySpec {
    role: Some(Role::HttpServiceLevelRequests),
    name: |names| names.service_level_requests,
    help: "HTTP requests to routes with a service level, except those that the client cancelled \
           in time.",
    labels: |names| vec![names.method, names.route, WITHIN_LABEL],
};

const SERVICE_LEVEL_GOOD_REQUESTS: FamilySpec = FamilySpec {
    role: Some(Role::HttpServiceLevelGood),
    name: |names| names.service_level_good_requests,
    help: "HTTP requests that met the service level of their route: in time, and no server error.",
    labels: |names| vec![names.method, names.route, WITHIN_LABEL],
};

/// The bucket bounds of stream durations, from a second to a day, since streams are meant to
/// stay open.
const STREAM_BOUNDS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

/// The bucket bounds of body sizes, from 256 bytes to 64 MiB.
const SIZE_BOUNDS: [f64; 10] = [
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

impl Families {
    pub(super) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let names = settings.preset.names();
        let families = FamilyRegistrar::new(registry, settings)?;
        let buckets = match (&settings.buckets, settings.preset.duration_bounds()) {
            (Some(buckets), _) => Some(buckets.clone()),
            (None, Some(bounds)) => Some(Buckets::new(bounds)?),
            (None, None) => None,
        };
        let buckets = if settings.has_native_histograms {
            Some(buckets.unwrap_or_default().or_native())
        } else {
            buckets
        };
        let custom = settings.custom_labels.iter();
        let custom: Vec<_> = custom.map(|custom| custom.label.clone()).collect();
        let with_outcome = [&custom[..], &[Label::unlimited(OUTCOME_LABEL)]].concat();
        // Registered first, because it has all labels: if one is not valid, nothing was created.
        let requests = families.register_with(&REQUESTS, &with_outcome, None)?;
        let duration: DynFamily<Histogram> =
            families.register_with(&DURATION, &custom, buckets.clone())?;
        // The first buckets of a route stay, so the settings of this layer that came last are
        // set first.
        for (route, buckets) in settings.route_buckets.iter().rev() {
            let route = settings.route_naming.group_or_route(route);
            let buckets = if settings.has_native_histograms {
                buckets.clone().or_native()
            } else {
                buckets.clone()
            };
            duration.buckets_for(names.route, route, buckets);
        }
        let stream_buckets = Some(Buckets::new(&STREAM_BOUNDS)?);
        let optional = |is_enabled: bool, spec| {
            let create = || families.register_with(spec, &[], buckets.clone());
            is_enabled.then(create).transpose()
        };
        let families = Self {
            requests,
            duration,
            in_flight: families.register_with(&IN_FLIGHT, &[Label::open(names.route)], None)?,
            request_bytes: families.register(&REQUEST_BYTES)?,
            unmeasured_request_bodies: families.register(&UNMEASURED_REQUEST_BODIES)?,
            response_bytes: families.register(&RESPONSE_BYTES)?,
            stream_duration: families.register_with(&STREAM_DURATION, &[], stream_buckets)?,
            streams_in_flight: families.register(&STREAMS_IN_FLIGHT)?,
            upgrades_in_flight: families.register(&UPGRADES_IN_FLIGHT)?,
            time_to_head: optional(settings.time_to_head, &TIME_TO_HEAD)?,
            time_to_first_byte: optional(settings.time_to_first_byte, &TIME_TO_FIRST_BYTE)?,
            body_sizes: (settings.body_sizes)
                .then(|| BodySizeFamilies::new(&families, settings))
                .transpose()?,
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

impl BodySizeFamilies {
    fn new(families: &FamilyRegistrar, settings: &Settings) -> Result<Self, Error> {
        let buckets = match &settings.body_size_buckets {
            Some(buckets) => buckets.clone(),
            None => Buckets::new(&SIZE_BOUNDS)?,
        };
        let have_status = settings.preset.has_status_on_sizes();
        let status = have_status.then(|| Label::unlimited(families.names.status));
        let register =
            |spec| families.register_with(spec, status.as_slice(), Some(buckets.clone()));
        Ok(Self {
            request: register(&REQUEST_BODY_SIZE)?,
            response: register(&RESPONSE_BODY_SIZE)?,
            have_status,
        })
    }
}

impl ServiceLevelFamilies {
    fn new(families: &FamilyRegistrar) -> Result<Self, Error> {
        Ok(Self {
            requests: families.register(&SERVICE_LEVEL_REQUESTS)?,
            good: families.register(&SERVICE_LEVEL_GOOD_REQUESTS)?,
        })
    }
}

/// Registers rows of the table under the names of a preset.
struct FamilyRegistrar {
    registry: Registry,
    names: &'static Names,
    /// Whether the metrics have other names in OTLP.
    has_semantic_names: bool,
    /// The start of the preset's names that the user's prefix replaces.
    replaced_prefix: &'static str,
}

impl FamilyRegistrar {
    fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let (prefix, replaced_prefix) = settings.preset.apply_prefix(&settings.prefix);
        let registry = registry.clone();
        Ok(Self {
            registry: if prefix.is_empty() {
                registry
            } else {
                registry.with_prefix(&prefix)?
            },
            names: settings.preset.names(),
            has_semantic_names: settings.preset == Preset::Otel,
            replaced_prefix,
        })
    }

    fn register<M: Instrument>(&self, spec: &FamilySpec) -> Result<DynFamily<M>, Error> {
        self.register_with(spec, &[], None)
    }

    /// Registers a family that has further labels after those of the table.
    fn register_with<M: Instrument>(
        &self,
        spec: &FamilySpec,
        further_labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<DynFamily<M>, Error> {
        let labels = (spec.labels)(self.names).into_iter().map(Label::unlimited);
        let labels: Vec<_> = labels.chain(further_labels.iter().cloned()).collect();
        let name = (spec.name)(self.names);
        let name = name.strip_prefix(self.replaced_prefix).unwrap_or(name);
        let mut registry = self.registry.clone();
        if let Some(role) = spec.role {
            registry = registry.with_role(role);
        }
        if self.has_semantic_names {
            registry = registry.with_semantic_names(semantic_names(spec.name));
        }
        registry.dyn_family(name, spec.help, &labels, settings)
    }
}
