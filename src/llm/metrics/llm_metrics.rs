//! The metrics of calls, and the calls that are recorded by hand.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::RequestRoute;
use crate::error::Error;
use crate::llm::call::LlmCall;
use crate::llm::cost::{CheckedPriceTable, PriceTable};
use crate::llm::facts::{Ended, Proof, RateLimit, ResponseId, Usage};
use crate::llm::metrics::call_cost::CallCost;
use crate::llm::metrics::counted_responses::CountedResponses;
use crate::llm::metrics::families::{Families, UNCONFIRMED, UNKNOWN};
use crate::llm::settings::Settings;
use crate::metric::{Histogram, InFlight};
use crate::registry::Registry;

/// The metrics of calls of an LLM, in one registry.
///
/// For clients that hide their HTTP, and models in the process: a call is told to them by
/// hand, with what is known of it. The [layer](crate::llm::LlmLayer) counts into the same
/// metrics. A clone is the same metrics.
///
/// ```
/// use tachometer::llm::{LlmMetrics, Outcome, Usage};
/// use tachometer::Registry;
///
/// let registry = Registry::new();
/// let metrics = LlmMetrics::new(&registry)?;
///
/// let mut call = metrics.start("chat", "aws.bedrock", "claude-x");
/// call.first_token();
/// call.set_usage(Usage::new().input(21).output(4));
/// call.finish(Outcome::Success);
///
/// drop(metrics.start("chat", "aws.bedrock", "claude-x")); // counted as cancelled
///
/// let requests = registry.get("llm_requests_total").unwrap();
/// assert_eq!(requests.value(), 2.0);
/// # Ok::<(), tachometer::Error>(())
/// ```
#[derive(Clone)]
pub struct LlmMetrics(Arc<Inner>);

struct Inner {
    families: Families,
    settings: Settings,
    /// What models cost, if the user said.
    rates: Option<CheckedPriceTable>,
    /// The responses made in the background that were counted. The lock is taken only for
    /// such a response.
    seen: Mutex<CountedResponses>,
}

impl fmt::Debug for LlmMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmMetrics")
            .field("prefix", &self.0.settings.prefix)
            .finish_non_exhaustive()
    }
}

impl LlmMetrics {
    /// Registers the metrics, or finds them where they are.
    ///
    /// # Errors
    ///
    /// When the registry holds something else under the name of one of them
    /// ([`Error::is_conflict`]).
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        Self::with(registry, Settings::default())
    }

    pub(crate) fn with(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        let rates = settings
            .prices
            .as_ref()
            .map(PriceTable::check)
            .transpose()?;
        let families = Families::new(registry, &settings)?;
        Ok(Self(Arc::new(Inner {
            families,
            settings,
            rates,
            seen: Mutex::default(),
        })))
    }

    /// Begins a call, which is dropped once: as [finished](LlmCall::finish), or as
    /// cancelled.
    ///
    /// `operation` and `provider` are those of the OpenTelemetry GenAI conventions
    /// (`chat`, `text_completion`, `embeddings`; `openai`, `anthropic`, `aws.bedrock`),
    /// or words of one's own. Empty ones, and an empty `model`, are `unknown`.
    pub fn start(&self, operation: &str, provider: &str, model: &str) -> LlmCall {
        let model = (!model.is_empty()).then(|| model.into());
        LlmCall::start(self, operation, provider, model)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the route of the request that is being answered, if it is to be told.
    pub(crate) fn route(&self) -> RequestRoute {
        if self.0.settings.by_route {
            RequestRoute::current()
        } else {
            RequestRoute::default()
        }
    }

    /// Counts a call that begins. A model that no provider has accepted yet has no series of
    /// its own.
    ///
    /// Returns also whether the series is that of the call's own model.
    pub(crate) fn enter(
        &self,
        provider: &str,
        model: Option<&str>,
        operation: &str,
    ) -> (InFlight, bool) {
        let families = &self.0.families;
        let name = self.model(model);
        let mut labels = labels(provider, &name, operation);
        if let Some(in_flight) = families.in_flight.find(&labels) {
            in_flight.start();
            return (in_flight.clone(), true);
        }
        if model.is_some() && !families.has_model(&name) {
            labels[MODEL] = UNCONFIRMED;
        }
        let in_flight = families.open(&mut labels);
        in_flight.start();
        // Another label if the model is not known, or over a limit.
        (in_flight, labels[MODEL] == &*name)
    }

    /// Gives a model series of its own, since a provider has accepted a call of it.
    pub(crate) fn prove(&self, provider: &str, model: &str, operation: &str) {
        let name = self.model(Some(model));
        self.resolve(labels(provider, &name, operation), Proof::Request);
    }

    /// Records a call that has ended.
    pub(crate) fn record(&self, ended: &Ended<'_>) {
        let inner = &*self.0;
        let name = self.model(ended.model);
        let mut labels = labels(ended.provider, &name, ended.operation);
        if !ended.is_named {
            // What is not known has no name that would have to be proven.
            let proof = ended.model.map_or(Proof::Request, |_| ended.proof);
            labels = self.resolve(labels, proof);
        }
        let bill = CallCost::new(ended, inner.rates.as_ref());
        inner.families.record(labels, ended, &bill);
        for (model, usage) in ended.other_models {
            self.record_other_model(ended, model, usage);
        }
    }

    /// Records the usage of another model in the same call, such as an advisor. The call itself
    /// counts once, under the requested model.
    fn record_other_model(&self, ended: &Ended<'_>, model: &str, usage: &Usage) {
        let name = self.model(Some(model));
        let labels = labels(ended.provider, &name, ended.operation);
        let labels = self.resolve(labels, Proof::Answer);
        let bill = CallCost::for_other_model(ended, model, usage, self.0.rates.as_ref());
        let families = &self.0.families;
        families.record_other_model(labels, ended.route, usage, &bill);
    }

    /// Whether the time from part to part of an answer is told.
    pub(crate) fn times_chunks(&self) -> bool {
        self.0.families.times_chunks()
    }

    /// Returns the histogram of the time from part to part of a call's answer, if there is
    /// one.
    pub(crate) fn per_chunk(
        &self,
        provider: &str,
        model: Option<&str>,
        operation: &str,
        proof: Proof,
    ) -> Option<Histogram> {
        let name = self.model(model);
        let proof = model.map_or(Proof::Request, |_| proof);
        let labels = self.resolve(labels(provider, &name, operation), proof);
        self.0.families.per_chunk(labels)
    }

    /// Records rate limits.
    pub(crate) fn limits(
        &self,
        provider: &str,
        model: Option<&str>,
        operation: &str,
        proof: Proof,
        limits: impl Iterator<Item = RateLimit>,
    ) {
        let mut limits = limits.peekable();
        if limits.peek().is_none() {
            return;
        }
        let name = self.model(model);
        let proof = model.map_or(Proof::Request, |_| proof);
        let families = &self.0.families;
        let labels = self.resolve(labels(provider, &name, operation), proof);
        for limit in limits {
            families.rate_limits.record(labels, &limit);
        }
    }

    /// Returns true the first time that a response made in the background is seen complete.
    pub(crate) fn is_first_seen(&self, id: ResponseId) -> bool {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(id)
    }

    /// Returns the labels under which a call counts: those of its model, if that has or may
    /// have series of its own.
    fn resolve<'a>(&self, mut labels: [&'a str; 3], proof: Proof) -> [&'a str; 3] {
        let families = &self.0.families;
        if families.in_flight.find(&labels).is_some() {
            return labels;
        }
        match proof {
            Proof::None if !families.has_model(labels[MODEL]) => labels[MODEL] = UNCONFIRMED,
            Proof::Answer => families.limit_answered(&mut labels),
            Proof::None | Proof::Request => {}
        }
        families.open(&mut labels);
        labels
    }

    /// Returns what a model is called.
    fn model(&self, model: Option<&str>) -> Box<str> {
        match (model, &self.0.settings.rename_model) {
            (None, _) => UNKNOWN.into(),
            (Some(model), None) => model.into(),
            (Some(model), Some(rename)) => {
                let renamed = rename.call(|rename| rename(model));
                // Of one that panics, the name may be what it is there to hide.
                renamed.map_or_else(|| UNKNOWN.into(), String::into_boxed_str)
            }
        }
    }
}

/// The position of the model among the labels.
const MODEL: usize = 1;

fn labels<'a>(provider: &'a str, model: &'a str, operation: &'a str) -> [&'a str; 3] {
    [provider, model, operation].map(|label| if label.is_empty() { UNKNOWN } else { label })
}
