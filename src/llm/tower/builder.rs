//! What users of the layer can choose.

use std::sync::Arc;
use std::time::Instant;

use crate::context::{Clock, Hook};
use crate::llm::cost::PriceTable;
use crate::llm::settings::Preset;
use crate::llm::tower::LlmLayer;
use crate::metric::Buckets;

impl LlmLayer {
    /// Calls the provider this, whatever the host: for a gateway or a server of one's
    /// own, such as `vllm`.
    pub fn provider(self, provider: impl Into<Box<str>>) -> Self {
        let provider = Some(provider.into());
        self.choose(|settings| settings.provider = provider)
    }

    /// Calls the provider this at one host, given as the URL has it, with a port or for all
    /// ports. Of several that fit, the last counts.
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
        let known = (host.into(), provider.into());
        self.choose(|settings| settings.hosts.push(known))
    }

    /// Names the models that are called. They have series of their own from their first call
    /// on, whatever the [limit](Self::model_limit), and their errors are counted under their name.
    ///
    /// Any other model has series of its own once a provider has accepted a call of it. Until
    /// then its calls are counted under the model `_unconfirmed`, so that misspelled and
    /// invented names use up no limit.
    pub fn known_models<M: Into<Box<str>>>(self, models: impl IntoIterator<Item = M>) -> Self {
        let models = models.into_iter().map(Into::into);
        self.choose(|settings| settings.known_models.extend(models))
    }

    /// Creates the counters that alerts read for the calls of a model, at 0 and at once, so that
    /// the first event after a start is an increase. Without this they are created when the
    /// first call of the model starts, or when its first answer begins if the model is not
    /// known before. The model counts against no [limit](Self::model_limit).
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
        self.choose(|settings| settings.predeclared.push(labels))
    }

    /// Calls the model this where neither the request nor the answer tells it: of a form
    /// that is made as it is sent, as reqwest's are, with a sound to be transcribed.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// let layer = LlmLayer::new().default_model("whisper-x");
    /// ```
    pub fn default_model(self, model: impl Into<Box<str>>) -> Self {
        let model = Some(model.into());
        self.choose(|settings| settings.default_model = model)
    }

    /// Tells so many models apart, 100 if nothing else is said; the calls of any other
    /// are counted under the model `_overflow`. What the registry has already keeps its
    /// limit.
    pub fn model_limit(self, models: usize) -> Self {
        self.choose(|settings| settings.limit = Some(models))
    }

    /// Calls a model what `rename` returns: without the date at its end, say, or the name
    /// of an organisation in it. Where it panics, the model is `unknown`.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// // "ft:gpt-x:acme::id" says who one is.
    /// let layer = LlmLayer::new().rename_models(|model| match model.strip_prefix("ft:") {
    ///     Some(tuned) => tuned.split(':').next().unwrap_or("tuned").to_owned(),
    ///     None => model.to_owned(),
    /// });
    /// ```
    pub fn rename_models(self, rename: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.rename_model = Some(Hook::new(Arc::new(rename))))
    }

    /// Leaves out the requests of which `skip` returns true, by their host and path.
    pub fn skip(self, skip: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.skip = Some(Hook::new(Arc::new(skip))))
    }

    /// Sets the buckets of all histograms of seconds. By default, each has buckets that suit
    /// what it measures.
    #[doc(alias = "bounds")]
    pub fn buckets(self, buckets: Buckets) -> Self {
        self.choose(|settings| settings.buckets = Some(buckets))
    }

    /// Counts what calls cost, by these prices.
    ///
    /// A cost that the provider reports is taken instead of a price, with or without a table:
    /// OpenRouter, xAI, Perplexity, LiteLLM's proxy and others report it. A call with something
    /// that has no price is counted in `llm_unpriced_requests_total`, never as free.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    /// use tachometer::llm::{Price, PriceTable};
    ///
    /// let prices = PriceTable::new().model("gpt-x", Price::per_million(1.25, 10.0));
    /// let layer = LlmLayer::new().prices(prices);
    /// ```
    pub fn prices(self, prices: PriceTable) -> Self {
        self.choose(|settings| settings.prices = Some(prices))
    }

    /// Tells besides what the calls of each route take and cost: of a request that a
    /// [`MetricsLayer`](crate::MetricsLayer) counts, in metrics of their own,
    /// `llm_route_requests_total`, `llm_route_tokens_total` and `llm_route_cost_usd_total`.
    ///
    /// The route is that of the code that makes the call; into tasks and threads it is
    /// [carried](crate::carry_route). A call that no request makes has the route `none`.
    pub fn route_metrics(self) -> Self {
        self.choose(|settings| settings.by_route = true)
    }

    /// Calls the metrics and their labels by other names.
    pub fn preset(self, preset: Preset) -> Self {
        self.choose(|settings| settings.preset = preset)
    }

    /// Puts this before the name of every metric, as it is written: `shop_` makes
    /// `shop_llm_requests_total`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.choose(|settings| settings.prefix = prefix)
    }

    /// Takes the time from `now` instead of the system's clock, as tests may want.
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.clock = Clock::from_hook(Hook::new(Arc::new(now))))
    }
}
