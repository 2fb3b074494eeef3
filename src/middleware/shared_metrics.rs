//! What the endpoints of a layer share.

use std::sync::{Arc, PoisonError, RwLock};

use http::StatusCode;

use crate::context::{MetricsId, RouteTable};
use crate::error::Error;
use crate::metric::{Counter, Histogram, InternMap, MAX_LABELS};
use crate::middleware::endpoint::{Endpoint, OutcomeKey, OutcomeSeries};
use crate::middleware::families::Families;
use crate::middleware::http_labels::status_label;
use crate::middleware::known_values::KnownValues;
use crate::middleware::outcome::Outcome;
use crate::middleware::placement::Placement;
use crate::middleware::settings::Settings;
use crate::registry::Registry;

/// What the endpoints of a layer share: families, settings, and the series by outcome.
///
/// Endpoints hold it, so it must not hold endpoints.
pub(super) struct SharedMetrics {
    /// The same for all layers that record into the same families.
    pub(super) id: MetricsId,
    pub(super) families: Families,
    pub(super) settings: Settings,
    /// Whether every request needs an `OptionalState`.
    pub(super) needs_optional_state: bool,
    pub(super) placement: Placement,
    pub(super) known_values: KnownValues,
    outcome_series: InternMap<OutcomeSeries>,
    /// The routes of the endpoints, by position. Written when an endpoint is added.
    routes: RwLock<Vec<Arc<str>>>,
}

impl SharedMetrics {
    pub(super) fn new(registry: &Registry, mut settings: Settings) -> Result<Self, Error> {
        settings.set_on_panic(&registry.closure_panic_counter());
        settings.methods.check()?;
        let families = Families::new(registry, &settings)?;
        Ok(Self {
            id: MetricsId::for_address(families.requests.address()),
            families,
            needs_optional_state: settings.needs_optional_state(),
            settings,
            placement: Placement::default(),
            known_values: KnownValues::new(),
            outcome_series: InternMap::new(),
            routes: RwLock::default(),
        })
    }

    /// Adds the route of the endpoint at the next position.
    pub(super) fn add_route(&self, route: Arc<str>) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.push(route);
    }

    /// Returns the series of an endpoint's requests that ended with this status and outcome.
    pub(super) fn outcome_series(
        &self,
        endpoint: &Endpoint,
        key: OutcomeKey,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &Arc<OutcomeSeries> {
        let hash = self.outcome_series.hash(key);
        let is_match = |series: &OutcomeSeries| series.key == key;
        if let Some(series) = self.outcome_series.find(hash, is_match) {
            return series;
        }
        let no_custom_values = [].into_iter();
        let created = self.with_custom_labels(
            endpoint,
            status.as_ref(),
            outcome,
            no_custom_values,
            |requests, duration, _| OutcomeSeries {
                key,
                requests: requests.clone(),
                duration: duration.clone(),
            },
        );
        self.outcome_series.find_or_add(hash, is_match, |_| created)
    }

    /// Lends the series that have these values of the custom labels, and the values that the
    /// limit admits.
    pub(super) fn with_custom_labels<'a, T>(
        &self,
        endpoint: &'a Endpoint,
        status: Option<&'a StatusCode>,
        outcome: Outcome,
        custom_values: impl Iterator<Item = &'a str>,
        run: impl FnOnce(&Counter, &Histogram, &[&str]) -> T,
    ) -> T {
        let status = status_label(status, self.settings.status_class);
        let mut values = [""; MAX_LABELS];
        let fixed = [endpoint.method_name(), &endpoint.route, status];
        let all = fixed.into_iter().chain(custom_values);
        let mut len = 0;
        for (slot, value) in values.iter_mut().zip(all.chain([outcome.as_str()])) {
            *slot = value;
            len += 1;
        }
        let values = &mut values[..len];
        self.families.requests.with_ref(values, |requests, values| {
            // With the admitted values, so that a limit has the same effect on both.
            let values = &mut values[..len - 1];
            self.families.duration.with_ref(values, |duration, values| {
                run(requests, duration, &values[fixed.len()..])
            })
        })
    }
}

impl RouteTable for SharedMetrics {
    fn route(&self, position: usize) -> Option<Arc<str>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(position).cloned()
    }
}
