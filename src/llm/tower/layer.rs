//! The layer and its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tower::Layer;

use crate::context::{Clock, Hook};
use crate::error::Error;
use crate::llm::cost::PriceTable;
use crate::llm::metrics::LlmMetrics;
use crate::llm::settings::{Preset, Settings};
use crate::llm::tower::LlmService;
use crate::metric::Buckets;
use crate::registry::{LayerMetrics, LazyMetrics, Registry};

/// Measures the LLM calls of the clients that it wraps.
///
/// See the [module](crate::llm) for examples and the metrics. Clones share their metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a client is wrapped in it"]
#[doc(alias = "middleware")]
#[doc(alias = "tower")]
pub struct LlmLayer {
    metrics: LazyMetrics<LlmMetrics>,
}

impl LlmLayer {
    /// Makes a layer that counts into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a client.
    ///
    /// # Panics
    ///
    /// Not here, but when the layer first wraps a client: if the registry holds something else
    /// under the name of one of its metrics. Call [`try_register`](Self::try_register) to get an
    /// error instead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer like [`new`](Self::new) and registers its metrics at once, in the
    /// global registry.
    ///
    /// # Errors
    ///
    /// Returns an error if the global registry holds something else under the name of one of the
    /// layer's metrics ([`Error::is_conflict`]).
    pub fn try_new() -> Result<Self, Error> {
        Self::new().try_register()
    }

    /// Counts into `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            metrics: self.metrics.set_registry(registry),
        }
    }

    /// Registers the layer's metrics now, rather than when it first wraps a client.
    ///
    /// # Errors
    ///
    /// Returns an error if the registry holds something else under the name of one of the
    /// metrics, or the same with other buckets ([`Error::is_conflict`]), and if the
    /// [prefix](Self::prefix) or the [prices](Self::prices) are invalid.
    pub fn try_register(self) -> Result<Self, Error> {
        self.metrics.try_register()?;
        Ok(self)
    }

    /// Returns the layer's metrics, which are registered if they are not yet.
    pub(crate) fn metrics(&self) -> LlmMetrics {
        self.metrics.get_or_register().clone()
    }

    /// Wraps a client.
    ///
    /// # Panics
    ///
    /// The first time, if the metrics cannot be registered. See
    /// [`try_register`](Self::try_register) for the reasons.
    pub fn layer<S>(&self, client: S) -> LlmService<S> {
        LlmService::new(client, self.metrics())
    }
}

/// # Names
impl LlmLayer {
    /// Uses the names and buckets of OpenTelemetry's semantic conventions for generative AI
    /// clients, as Prometheus writes them.
    ///
    /// These are `gen_ai_client_operation_duration_seconds`, `gen_ai_client_token_usage`,
    /// `gen_ai_client_operation_time_to_first_chunk_seconds` and
    /// `gen_ai_client_operation_time_per_output_chunk_seconds`, with the labels
    /// `gen_ai_provider_name`, `gen_ai_request_model` and `gen_ai_operation_name`. The names of
    /// metrics that the conventions do not define also start with `gen_ai_client_`.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().otel_names();
    /// ```
    #[doc(alias = "opentelemetry")]
    #[doc(alias = "semantic conventions")]
    pub fn otel_names(self) -> Self {
        self.set(|settings| settings.preset = Preset::Otel)
    }

    /// Puts `prefix` before the name of every metric, as it is written: `shop_` makes
    /// `shop_llm_requests_total`.
    #[doc(alias = "namespace")]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.set(|settings| settings.prefix = prefix)
    }
}

/// # Providers and models
impl LlmLayer {
    /// Sets the provider of all calls, whatever their host: for a gateway or a self-hosted
    /// server, such as `vllm`.
    pub fn provider(self, provider: impl Into<Box<str>>) -> Self {
        let provider = Some(provider.into());
        self.set(|settings| settings.provider = provider)
    }

    /// Sets the provider of calls to one host, written as in the URL: with a port, or without
    /// one for all ports. If several match, the last one counts.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().provider_for_host("llm.internal", "vllm");
    /// ```
    pub fn provider_for_host(
        self,
        host: impl Into<Box<str>>,
        provider: impl Into<Box<str>>,
    ) -> Self {
        let host = (host.into(), provider.into());
        self.set(|settings| settings.provider_by_host.push(host))
    }

    /// Lists models that have their own series from their first call on, whatever the
    /// [limit](Self::model_limit). Their errors are counted under their names.
    ///
    /// Any other model gets its own series once a provider has accepted a call of it. Until
    /// then its calls are counted under the model `_unconfirmed`, so that misspelled and
    /// invented names do not use up the limit.
    pub fn known_models<M: Into<Box<str>>>(self, models: impl IntoIterator<Item = M>) -> Self {
        let models = models.into_iter().map(Into::into);
        self.set(|settings| settings.known_models.extend(models))
    }

    /// Creates the counters that alerts read for the calls of a model at registration, at 0, so
    /// that the first event after a start is an increase.
    ///
    /// Without this they are created when the first call of the model starts, or when its first
    /// response begins if the model is not known before. The model does not count against the
    /// [limit](Self::model_limit).
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().predeclare("openai", "gpt-x", "chat");
    /// ```
    pub fn predeclare(
        self,
        provider: impl Into<Box<str>>,
        model: impl Into<Box<str>>,
        operation: impl Into<Box<str>>,
    ) -> Self {
        let labels = [provider.into(), model.into(), operation.into()];
        self.set(|settings| settings.predeclared.push(labels))
    }

    /// Sets the model of calls that name none, neither in a request body that the layer can read
    /// nor in the response. An example is audio to be transcribed in a form that reqwest
    /// streams.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().default_model("whisper-x");
    /// ```
    pub fn default_model(self, model: impl Into<Box<str>>) -> Self {
        let model = Some(model.into());
        self.set(|settings| settings.default_model = model)
    }

    /// Limits the number of models that have their own series, instead of 100. The calls of
    /// further models are counted under the model `_overflow`. Metrics that the registry already
    /// holds keep their limit.
    #[doc(alias = "cardinality")]
    pub fn model_limit(self, models: usize) -> Self {
        self.set(|settings| settings.model_limit = Some(models))
    }

    /// Uses the result of `rename` as the name of a model, for example to remove a date or an
    /// organization from it. If it panics, the model is `unknown`.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// // "ft:gpt-x:acme::id" names the customer.
    /// let layer = LlmLayer::new().rename_models(|model| match model.strip_prefix("ft:") {
    ///     Some(tuned) => tuned.split(':').next().unwrap_or("tuned").to_owned(),
    ///     None => model.to_owned(),
    /// });
    /// ```
    pub fn rename_models(self, rename: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.rename_model = Some(Hook::new(Arc::new(rename))))
    }
}

/// # What is measured
impl LlmLayer {
    /// Excludes the requests for which `skip` returns true. It gets their host and path.
    #[doc(alias = "filter")]
    #[doc(alias = "exclude")]
    #[doc(alias = "ignore")]
    pub fn skip(self, skip: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.skip = Some(Hook::new(Arc::new(skip))))
    }

    /// Sets the buckets of all histograms of seconds. By default, each has buckets that suit
    /// what it measures.
    #[doc(alias = "bounds")]
    pub fn buckets(self, buckets: Buckets) -> Self {
        self.set(|settings| settings.buckets = Some(buckets))
    }

    /// Counts the cost of calls, by these prices.
    ///
    /// If the provider reports a cost, as OpenRouter, xAI, Perplexity, LiteLLM's proxy and others
    /// do, that is counted instead, with or without a table. A call with something that has no
    /// price is counted in `llm_unpriced_requests_total`, never as free.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    /// use tachometer::llm::{Price, PriceTable};
    ///
    /// let prices = PriceTable::new().model("gpt-x", Price::per_million(1.25, 10.0));
    /// let layer = LlmLayer::new().prices(prices);
    /// ```
    #[doc(alias = "cost")]
    pub fn prices(self, prices: PriceTable) -> Self {
        self.set(|settings| settings.prices = Some(prices))
    }

    /// Also counts calls, tokens and cost by the route of the request that makes them:
    /// `llm_route_requests_total`, `llm_route_tokens_total` and `llm_route_cost_usd_total`.
    ///
    /// The route is that of the request, measured by a [`MetricsLayer`](crate::MetricsLayer),
    /// that the calling code handles. Use [`carry_route`](crate::carry_route) for calls that
    /// are made in other tasks or threads. A call outside of a request has the route `none`.
    pub fn route_metrics(self) -> Self {
        self.set(|settings| settings.has_route_metrics = true)
    }

    /// Takes the time from `now` instead of the system's clock, for example from a clock that
    /// tests can set.
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.clock = Clock::from_hook(Hook::new(Arc::new(now))))
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        Self {
            metrics: self.metrics.set(change),
        }
    }
}

impl LayerMetrics for LlmMetrics {
    type Settings = Settings;

    const LAYER: &'static str = "LlmLayer";

    fn register(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        Self::with_settings(registry, settings)
    }
}

impl fmt::Debug for LlmLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmLayer")
            .field("prefix", &self.metrics.settings().prefix)
            .field("is_registered", &self.metrics.is_registered())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for LlmLayer {
    type Service = LlmService<S>;

    fn layer(&self, client: S) -> LlmService<S> {
        self.layer(client)
    }
}
