//! The metrics of calls, and the calls that are recorded by hand.

use std::sync::Arc;

use crate::context::RequestRoute;
use crate::error::Error;
use crate::llm::call::{Ended, LlmCall};
use crate::llm::cost::{Bill, PriceTable, Rates};
use crate::llm::families::{Families, UNKNOWN};
use crate::llm::headroom::Headroom;
use crate::llm::layer::Settings;
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
/// call.usage(Usage::new().input(21).output(4));
/// call.finish(Outcome::Success);
///
/// drop(metrics.start("chat", "aws.bedrock", "claude-x")); // counted as cancelled
///
/// let requests = registry.get("llm_requests_total").unwrap();
/// assert_eq!(requests.value(), 2.0);
/// # Ok::<(), tachometer::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LlmMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    families: Families,
    settings: Settings,
    /// What models cost, if the user said.
    rates: Option<Rates>,
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

    pub(super) fn with(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        let rates = settings
            .prices
            .as_ref()
            .map(PriceTable::rates)
            .transpose()?;
        let families = Families::new(registry, &settings)?;
        Ok(Self(Arc::new(Inner {
            families,
            settings,
            rates,
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

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the route of the request that is being answered, if it is to be told.
    pub(super) fn route(&self) -> RequestRoute {
        if self.0.settings.by_route {
            RequestRoute::current()
        } else {
            RequestRoute::default()
        }
    }

    /// Counts a call that begins.
    pub(super) fn enter(&self, provider: &str, model: Option<&str>, operation: &str) -> InFlight {
        let model = self.model(model);
        let mut labels = labels(provider, &model, operation);
        let in_flight = self.0.families.in_flight.admit(&mut labels).clone();
        in_flight.enter();
        in_flight
    }

    /// Records a call that has ended.
    pub(super) fn record(&self, ended: &Ended<'_>) {
        let model = self.model(ended.model);
        let labels = self.admitted(labels(ended.provider, &model, ended.operation));
        let bill = Bill::of(ended, self.0.rates.as_ref());
        self.0.families.record(labels, ended, &bill);
    }

    /// Whether the time from part to part of an answer is told.
    pub(super) fn times_chunks(&self) -> bool {
        self.0.families.times_chunks()
    }

    /// Returns the histogram of the time from part to part of a call's answer, if there is
    /// one.
    pub(super) fn per_chunk(
        &self,
        provider: &str,
        model: Option<&str>,
        operation: &str,
    ) -> Option<Histogram> {
        let model = self.model(model);
        let labels = self.admitted(labels(provider, &model, operation));
        self.0.families.per_chunk(labels)
    }

    /// Records rate limits.
    pub(super) fn limits(
        &self,
        provider: &str,
        model: Option<&str>,
        operation: &str,
        limits: impl Iterator<Item = Headroom>,
    ) {
        let model = self.model(model);
        let families = &self.0.families;
        for of in limits {
            let [provider, model, operation] = self.admitted(labels(provider, &model, operation));
            families
                .rate_limits
                .record([provider, model, operation], &of);
        }
    }

    /// Returns the labels as the limit of models lets them be.
    fn admitted<'a>(&self, mut labels: [&'a str; 3]) -> [&'a str; 3] {
        self.0.families.in_flight.admit(&mut labels);
        labels
    }

    /// Returns what a model is called.
    fn model(&self, model: Option<&str>) -> Box<str> {
        match (model, &self.0.settings.rename) {
            (None, _) => UNKNOWN.into(),
            (Some(model), None) => model.into(),
            (Some(model), Some(rename)) => {
                let renamed = rename.ask(|rename| rename(model));
                // Of one that panics, the name may be what it is there to hide.
                renamed.map_or_else(|| UNKNOWN.into(), String::into_boxed_str)
            }
        }
    }
}

fn labels<'a>(provider: &'a str, model: &'a str, operation: &'a str) -> [&'a str; 3] {
    [provider, model, operation].map(|label| if label.is_empty() { UNKNOWN } else { label })
}
