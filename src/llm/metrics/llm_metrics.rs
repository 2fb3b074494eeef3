//! The metrics of LLM calls in one registry.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::RequestRoute;
use crate::error::Error;
use crate::llm::cost::{CheckedPriceTable, PriceTable};
use crate::llm::facts::{CallTarget, EndedCall, ModelEvidence, RateLimit, ResponseId, Usage};
use crate::llm::metrics::call_cost::CallCost;
use crate::llm::metrics::counted_responses::CountedResponses;
use crate::llm::metrics::definitions::{UNCONFIRMED, UNKNOWN};
use crate::llm::metrics::families::Families;
use crate::llm::settings::Settings;
use crate::metric::{Histogram, InFlight};
use crate::registry::Registry;

/// The metrics of LLM calls in one registry. A clone records into the same metrics.
#[derive(Clone)]
pub struct LlmMetrics(Arc<Inner>);

struct Inner {
    families: Families,
    settings: Settings,
    prices: Option<CheckedPriceTable>,
    /// The background responses that were counted. The lock is taken only for such a response.
    counted_responses: Mutex<CountedResponses>,
}

impl fmt::Debug for LlmMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmMetrics")
            .field("prefix", &self.0.settings.prefix)
            .finish_non_exhaustive()
    }
}

impl LlmMetrics {
    /// Registers the metrics with the default settings, or returns the registered ones.
    pub(crate) fn new(registry: &Registry) -> Result<Self, Error> {
        Self::with_settings(registry, Settings::default())
    }

    pub(crate) fn with_settings(
        registry: &Registry,
        mut settings: Settings,
    ) -> Result<Self, Error> {
        settings.set_on_panic(&registry.closure_panic_counter());
        let prices = settings
            .prices
            .as_ref()
            .map(PriceTable::check)
            .transpose()?;
        let families = Families::new(registry, &settings)?;
        Ok(Self(Arc::new(Inner {
            families,
            settings,
            prices,
            counted_responses: Mutex::default(),
        })))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the route of the HTTP request that is being handled, if calls are recorded by
    /// route.
    pub(crate) fn current_route(&self) -> RequestRoute {
        if self.0.settings.has_route_metrics {
            RequestRoute::current()
        } else {
            RequestRoute::default()
        }
    }

    /// Counts a call that starts. A model that no provider has accepted yet is counted as
    /// `_unconfirmed`.
    ///
    /// Also returns true if the gauge has the call's model as its label.
    pub(crate) fn begin_call(&self, target: &CallTarget) -> (InFlight, bool) {
        let families = &self.0.families;
        let model = self.model_label(target.model.as_deref());
        let mut labels = labels(target, &model);
        if let Some(in_flight) = families.in_flight.find(&labels) {
            in_flight.start();
            return (in_flight, true);
        }
        if target.model.is_some() && !families.has_model(&model) {
            labels[MODEL] = UNCONFIRMED;
        }
        let in_flight = families.get_or_create(&mut labels);
        in_flight.start();
        // The label differs if the model is unconfirmed or over the limit.
        (in_flight, labels[MODEL] == &*model)
    }

    /// Gives the model its own series, because a provider accepted a call to it.
    pub(crate) fn confirm_model(&self, target: &CallTarget) {
        let model = self.model_label(target.model.as_deref());
        self.resolve(labels(target, &model), ModelEvidence::AcceptedRequest);
    }

    /// Records a call that has ended.
    pub(crate) fn record(&self, call: &EndedCall<'_>) {
        let target = call.target;
        let model = self.model_label(target.model.as_deref());
        let mut labels = labels(target, &model);
        if !target.has_series {
            labels = self.resolve(labels, target.evidence());
        }
        let cost = CallCost::new(call, self.0.prices.as_ref());
        self.0.families.record(labels, call, &cost);
        for (model, usage) in &call.facts.other_models {
            self.record_other_model(call, model, usage);
        }
    }

    /// Records the usage of another model in the same call, such as an advisor. The call itself is
    /// counted once, under the requested model.
    fn record_other_model(&self, call: &EndedCall<'_>, model: &str, usage: &Usage) {
        let name = self.model_label(Some(model));
        let labels = self.resolve(labels(call.target, &name), ModelEvidence::Response);
        let cost = CallCost::for_other_model(call, model, usage, self.0.prices.as_ref());
        let route = call.target.route.name();
        let families = &self.0.families;
        families.record_other_model(labels, route, usage, &cost);
    }

    pub(crate) fn has_chunk_histogram(&self) -> bool {
        self.0.families.has_chunk_histogram()
    }

    /// Returns the histogram of the time between the chunks of a response, if the preset has
    /// one.
    pub(crate) fn chunk_histogram(&self, target: &CallTarget) -> Option<Histogram> {
        let model = self.model_label(target.model.as_deref());
        let labels = self.resolve(labels(target, &model), target.evidence());
        self.0.families.chunk_histogram(labels)
    }

    pub(crate) fn record_rate_limits(
        &self,
        target: &CallTarget,
        limits: impl Iterator<Item = RateLimit>,
    ) {
        let mut limits = limits.peekable();
        if limits.peek().is_none() {
            return;
        }
        let model = self.model_label(target.model.as_deref());
        let labels = self.resolve(labels(target, &model), target.evidence());
        for limit in limits {
            self.0.families.rate_limits.record(labels, &limit);
        }
    }

    /// Returns true the first time that a complete background response is seen.
    pub(crate) fn is_first_seen(&self, id: ResponseId) -> bool {
        let counted = self.0.counted_responses.lock();
        let mut counted = counted.unwrap_or_else(PoisonError::into_inner);
        counted.insert(id)
    }

    /// Returns the labels under which a call is recorded. A model that may not get its own series
    /// is replaced.
    fn resolve<'a>(&self, mut labels: [&'a str; 3], evidence: ModelEvidence) -> [&'a str; 3] {
        let families = &self.0.families;
        if families.in_flight.find(&labels).is_some() {
            return labels;
        }
        match evidence {
            ModelEvidence::None if !families.has_model(labels[MODEL]) => {
                labels[MODEL] = UNCONFIRMED;
            }
            ModelEvidence::Response => families.limit_response_model(&mut labels),
            ModelEvidence::None | ModelEvidence::AcceptedRequest => {}
        }
        families.get_or_create(&mut labels);
        labels
    }

    /// Returns the label of a model.
    fn model_label(&self, model: Option<&str>) -> Box<str> {
        match (model, &self.0.settings.rename_model) {
            (None, _) => UNKNOWN.into(),
            (Some(model), None) => model.into(),
            (Some(model), Some(rename)) => {
                let renamed = rename.call(|rename| rename(model));
                // If the closure panicked, it may have been meant to hide this name.
                renamed.map_or_else(|| UNKNOWN.into(), Into::into)
            }
        }
    }
}

/// The position of the model among the labels.
const MODEL: usize = 1;

/// Returns the labels of a call. Empty ones become `unknown`.
fn labels<'a>(target: &'a CallTarget, model: &'a str) -> [&'a str; 3] {
    [&target.provider, model, &target.operation].map(|label| match label {
        "" => UNKNOWN,
        label => label,
    })
}
