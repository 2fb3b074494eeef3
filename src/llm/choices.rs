//! What users of the layer can choose.

use std::sync::Arc;
use std::time::Instant;

use crate::context::{Clock, Hook};
use crate::llm::layer::LlmLayer;

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
    /// let layer = LlmLayer::new().host("llm.internal", "vllm");
    /// ```
    pub fn host(self, host: impl Into<Box<str>>, provider: impl Into<Box<str>>) -> Self {
        let known = (host.into(), provider.into());
        self.choose(|settings| settings.hosts.push(known))
    }

    /// Tells these models apart whatever the [limit](Self::limit), so that none that is
    /// invented takes their place.
    pub fn models<M: Into<Box<str>>>(self, models: impl IntoIterator<Item = M>) -> Self {
        let models = models.into_iter().map(Into::into);
        self.choose(|settings| settings.models.extend(models))
    }

    /// Tells so many models apart, 100 if nothing else is said; the calls of any other
    /// are counted under the model `_overflow`. What the registry has already keeps its
    /// limit.
    pub fn limit(self, models: usize) -> Self {
        self.choose(|settings| settings.limit = Some(models))
    }

    /// Calls a model what `rename` returns: without the date at its end, say, or the name
    /// of an organisation in it.
    ///
    /// ```
    /// use tachometer::LlmLayer;
    ///
    /// // "ft:gpt-x:acme::id" says who one is.
    /// let layer = LlmLayer::new().rename(|model| match model.strip_prefix("ft:") {
    ///     Some(tuned) => tuned.split(':').next().unwrap_or("tuned").to_owned(),
    ///     None => model.to_owned(),
    /// });
    /// ```
    pub fn rename(self, rename: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.rename = Some(Hook::new(Arc::new(rename))))
    }

    /// Leaves out the requests of which `skip` returns true, by their host and path.
    pub fn skip(self, skip: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.skip = Some(Hook::new(Arc::new(skip))))
    }

    /// Gives the three histograms of seconds these bounds, instead of bounds of their
    /// own each.
    pub fn buckets(self, bounds: &[f64]) -> Self {
        self.choose(|settings| settings.buckets = Some(bounds.to_vec()))
    }

    /// Puts this before the name of every metric, as it is written: `shop_` makes
    /// `shop_llm_requests_total`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.choose(|settings| settings.prefix = prefix)
    }

    /// Takes the time from `now` instead of the system's clock, as tests may want.
    pub fn clock(self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.choose(|settings| settings.clock = Clock::of(Hook::new(Arc::new(now))))
    }
}
