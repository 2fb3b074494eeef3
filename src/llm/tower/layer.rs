//! The layer: the settings, and the metrics made from them once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tower::Layer;

use crate::error::Error;
use crate::llm::metrics::LlmMetrics;
use crate::llm::settings::Settings;
use crate::llm::tower::LlmService;
use crate::registry::Registry;

/// Measures the calls of LLMs that pass through the clients it wraps.
///
/// See the [module](crate::llm) for examples and the metrics. A clone counts into the
/// same metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a client is wrapped in it"]
pub struct LlmLayer {
    /// The global registry where there is none.
    registry: Option<Registry>,
    pub(crate) settings: Settings,
    /// Made when the first client is wrapped, since the settings are complete only then.
    metrics: Arc<OnceLock<LlmMetrics>>,
}

impl LlmLayer {
    /// Makes a layer that counts into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a client, which is at
    /// start-up.
    ///
    /// # Panics
    ///
    /// Not here, but when it first wraps a client: if the registry holds something else
    /// under the name of one of its metrics. [`try_register`](Self::try_register) says so
    /// as an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer like [`new`](Self::new) and registers its metrics at once, in the
    /// global registry.
    ///
    /// # Errors
    ///
    /// When the global registry holds something else under the name of one of the
    /// layer's metrics ([`Error::is_conflict`]).
    pub fn try_new() -> Result<Self, Error> {
        Self::new().try_register()
    }

    /// Counts into `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            registry: Some(registry.clone()),
            ..self.anew()
        }
    }

    /// Registers the layer's metrics now, rather than when it first wraps a client.
    ///
    /// # Errors
    ///
    /// When the registry holds something else under the name of one of them, or the same
    /// with other buckets ([`Error::is_conflict`]); when a [prefix](Self::prefix) or
    /// [prices](Self::prices) are not valid.
    pub fn try_register(self) -> Result<Self, Error> {
        let metrics = self.make()?;
        // A clone may have made them meanwhile; they are the same ones.
        let _ = self.metrics.set(metrics);
        Ok(self)
    }

    /// Returns the layer's metrics, to record calls in by hand.
    ///
    /// # Panics
    ///
    /// If the metrics are not registered yet, and cannot be, of which
    /// [`try_register`](Self::try_register) says when.
    pub fn metrics(&self) -> LlmMetrics {
        self.metrics
            .get_or_init(|| match self.make() {
                Ok(metrics) => metrics,
                #[expect(
                    clippy::panic,
                    reason = "at start-up, where it is documented, and the remedy is in the text"
                )]
                Err(error) => panic!("{error}"),
            })
            .clone()
    }

    /// Wraps a client.
    ///
    /// # Panics
    ///
    /// The first time, when the metrics cannot be registered, of which
    /// [`try_register`](Self::try_register) says when.
    pub fn layer<S>(&self, client: S) -> LlmService<S> {
        LlmService::new(client, self.metrics())
    }

    /// Returns the layer with other settings, and without the metrics it has made, which
    /// clones of it go on using.
    pub(crate) fn choose(self, choose: impl FnOnce(&mut Settings)) -> Self {
        let mut layer = self.anew();
        choose(&mut layer.settings);
        layer
    }

    fn anew(self) -> Self {
        Self {
            metrics: Arc::default(),
            ..self
        }
    }

    fn make(&self) -> Result<LlmMetrics, Error> {
        let registry = self.registry.as_ref().unwrap_or_else(|| Registry::global());
        LlmMetrics::with(registry, self.settings.clone())
    }
}

impl fmt::Debug for LlmLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmLayer")
            .field("prefix", &self.settings.prefix)
            .field("registered", &self.metrics.get().is_some())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for LlmLayer {
    type Service = LlmService<S>;

    fn layer(&self, client: S) -> LlmService<S> {
        self.layer(client)
    }
}
