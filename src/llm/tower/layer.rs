//! The layer and its settings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tower::Layer;

use crate::context::{Clock, UserClosure};
use crate::error::Error;
use crate::llm::cost::PriceTable;
use crate::llm::metrics::LlmMetrics;
use crate::llm::settings::{Preset, Settings};
use crate::llm::tower::LlmService;
use crate::metric::Buckets;
use crate::registry::{LayerMetrics, LazyMetrics, Registry};

/// A layer that measures the LLM calls of a client.
///
/// See the [module](crate::llm) for an example and the metrics. Clones share their metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a client is wrapped in it"]
#[doc(alias = "middleware")]
#[doc(alias = "tower")]
#[doc(alias = "genai")]
#[doc(alias = "openai")]
#[doc(alias = "anthropic")]
#[doc(alias = "token usage")]
#[doc(alias = "time to first token")]
#[doc(alias = "rate limit")]
pub struct LlmLayer {
    metrics: LazyMetrics<LlmMetrics>,
}

impl LlmLayer {
    /// Creates a layer that records into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a client.
    ///
    /// # Panics
    ///
    /// This method does not panic. Wrapping the first client panics if the registry has a different
    /// metric with the name of one of the layer's metrics. Call
    /// [`try_register`](Self::try_register) to get an error instead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a layer like [`new`](Self::new), and registers its metrics in the global registry
    /// immediately.
    ///
    /// # Errors
    ///
    /// Returns an error if the global registry has a different metric with the name of one of the
    /// layer's metrics ([`Error::is_conflict`]).
    pub fn try_new() -> Result<Self, Error> {
        Self::new().try_register()
    }

    /// Records into `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            metrics: self.metrics.set_registry(registry),
        }
    }

    /// Registers the layer's metrics now, instead of when the layer first wraps a client.
    ///
    /// # Errors
    ///
    /// Returns an error if the registry has a different metric with the name of one of the layer's
    /// metrics, or the same metric with different buckets ([`Error::is_conflict`]). Also returns an
    /// error if the [prefix](Self::prefix) or a [price](Self::prices) is invalid.
    pub fn try_register(self) -> Result<Self, Error> {
        self.metrics.try_register()?;
        Ok(self)
    }

    /// Returns the layer's metrics, and registers them first if necessary.
    pub(crate) fn metrics(&self) -> LlmMetrics {
        self.metrics.get_or_register().clone()
    }

    /// Wraps a client.
    ///
    /// # Panics
    ///
    /// Panics if the metrics are not registered yet and cannot be registered; see
    /// [`try_register`](Self::try_register).
    pub fn layer<S>(&self, client: S) -> LlmService<S> {
        LlmService::new(client, self.metrics())
    }
}

/// # Names
impl LlmLayer {
    /// Uses the names and buckets of the OpenTelemetry semantic conventions for generative AI
    /// clients, in the form that Prometheus uses.
    ///
    /// These are `gen_ai_client_operation_duration_seconds`, `gen_ai_client_token_usage`,
    /// `gen_ai_client_operation_time_to_first_chunk_seconds` and
    /// `gen_ai_client_operation_time_per_output_chunk_seconds`, with the labels
    /// `gen_ai_provider_name`, `gen_ai_request_model` and `gen_ai_operation_name`. The names of
    /// metrics that the conventions do not define also start with `gen_ai_client_`.
    ///
    /// Over OTLP, metrics and labels have the names of the conventions: `gen_ai.client.token.usage`
    /// with `gen_ai.request.model`. With a prefix they keep the names that Prometheus reads.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().otel_names();
    /// ```
    #[doc(alias = "opentelemetry")]
    #[doc(alias = "genai")]
    #[doc(alias = "semantic conventions")]
    pub fn otel_names(self) -> Self {
        self.set(|settings| settings.preset = Preset::Otel)
    }

    /// Adds `prefix` to the name of every metric: `shop_` results in `shop_llm_requests_total`.
    #[doc(alias = "namespace")]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.set(|settings| settings.prefix = prefix)
    }
}

/// # Providers and models
impl LlmLayer {
    /// Sets the provider of all calls, independent of the host. Use it for a gateway or for a
    /// self-hosted server, such as `vllm`.
    pub fn provider(self, provider: impl Into<Box<str>>) -> Self {
        let provider = Some(provider.into());
        self.set(|settings| settings.provider = provider)
    }

    /// Sets the provider of calls to one host. With a port (`llm.internal:8000`), it applies to
    /// that port only, and without one to all ports. If several hosts match, the last one applies.
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

    /// Sets models that have their own series from the first call on. They do not count against the
    /// [limit](Self::model_limit), and errors are counted under their names.
    ///
    /// Any other model gets its own series when a provider accepts a call to it. Until then its
    /// calls are counted under the model `_unconfirmed`, so that misspelled and invented names do
    /// not use up the limit.
    pub fn known_models<M: Into<Box<str>>>(self, models: impl IntoIterator<Item = M>) -> Self {
        let models = models.into_iter().map(Into::into);
        self.set(|settings| settings.known_models.extend(models))
    }

    /// Creates the counters that alerts use for the calls of a model at registration. They start at
    /// 0, so that the first event after the start of the process is an increase.
    ///
    /// Without this, they are created when the first call of the model starts. If the model is not
    /// [known](Self::known_models), they are created when a provider accepts a call to it. The
    /// model does not count against the [limit](Self::model_limit).
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

    /// Sets the model of calls for which neither the response nor a readable request body names
    /// one. An example is an audio transcription with a multipart form that reqwest streams.
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

    /// Limits the number of models that have their own series. The default is 100. The calls of
    /// further models are counted under the model `_overflow`. Metrics that are already registered
    /// keep their limit.
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
    ///     Some(tuned) => tuned.split(':').next().unwrap_or("tuned").into(),
    ///     None => model.into(),
    /// });
    /// ```
    pub fn rename_models(
        self,
        rename: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| {
            settings.rename_model = Some(UserClosure::new("rename_models", Arc::new(rename)));
        })
    }
}

/// # Measurement
impl LlmLayer {
    /// Excludes requests. `skip` gets the host and the path of a request, and returns true if the
    /// request is not measured.
    #[doc(alias = "filter")]
    #[doc(alias = "exclude")]
    #[doc(alias = "ignore")]
    pub fn skip(self, skip: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.skip = Some(UserClosure::new("skip", Arc::new(skip))))
    }

    /// Sets the buckets of all histograms of seconds. By default, each histogram has buckets for
    /// its own range of values.
    #[doc(alias = "bounds")]
    pub fn buckets(self, buckets: Buckets) -> Self {
        self.set(|settings| settings.buckets = Some(buckets))
    }

    /// Counts the cost of calls, based on a table of prices.
    ///
    /// A cost that the provider reports is counted instead, also without a table. OpenRouter, xAI,
    /// Perplexity, LiteLLM's proxy and others report it. A call with tokens or units that have no
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
    /// The route is the route of the HTTP request that the calling code handles. A
    /// [`MetricsLayer`](crate::MetricsLayer) must measure that request. Use
    /// [`carry_route`](crate::carry_route) for calls in other tasks or threads. A call outside of a
    /// request has the route `none`.
    #[doc(alias = "endpoint")]
    pub fn route_metrics(self) -> Self {
        self.set(|settings| settings.has_route_metrics = true)
    }

    /// Uses `now` instead of [`Instant::now`], for example a clock that tests control.
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.set(|settings| {
            settings.clock = Clock::from_hook(UserClosure::new("clock", Arc::new(now)));
        })
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
