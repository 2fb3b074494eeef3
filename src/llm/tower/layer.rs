//! The layer: the settings, and the metrics made from them once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tower::Layer;

use crate::context::{Clock, Hook};
use crate::error::Error;
use crate::llm::cost::PriceTable;
use crate::llm::metrics::families::{MODELS, Preset};
use crate::llm::metrics::handle::LlmMetrics;
use crate::llm::tower::service::LlmService;
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

/// What is chosen.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: String,
    pub(crate) provider: Option<Box<str>>,
    /// Hosts of one's own, and whose they are.
    pub(crate) hosts: Vec<(Box<str>, Box<str>)>,
    pub(crate) models: Vec<Box<str>>,
    /// The provider, model and operation of calls whose series are there from the start.
    pub(crate) declared: Vec<[Box<str>; 3]>,
    pub(crate) unseen_model: Option<Box<str>>,
    pub(crate) limit: Option<usize>,
    pub(crate) rename: Option<Hook<Rename>>,
    pub(crate) skip: Option<Hook<Skip>>,
    pub(crate) buckets: Option<Vec<f64>>,
    pub(crate) preset: Preset,
    pub(crate) prices: Option<PriceTable>,
    pub(crate) by_route: bool,
    pub(crate) clock: Clock,
}

pub(crate) type Rename = dyn Fn(&str) -> String + Send + Sync;
pub(crate) type Skip = dyn Fn(&str, &str) -> bool + Send + Sync;

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            provider: None,
            hosts: Vec::new(),
            models: Vec::new(),
            declared: Vec::new(),
            unseen_model: None,
            limit: Some(MODELS),
            rename: None,
            skip: None,
            buckets: None,
            preset: Preset::default(),
            prices: None,
            by_route: false,
            clock: Clock::default(),
        }
    }
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
    /// with other buckets ([`Error::is_conflict`]); when a [prefix](Self::prefix),
    /// [bounds](Self::buckets) or [prices](Self::prices) are not valid.
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
