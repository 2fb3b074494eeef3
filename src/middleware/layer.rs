//! The layer: the settings, and the metrics made from them once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tower::Layer;

use crate::context::register_routes;
use crate::error::Error;
use crate::middleware::MetricsService;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::settings::Settings;
use crate::registry::Registry;

/// Measures every request of the services it wraps.
///
/// See the [module](crate::middleware) for examples and the metrics. A clone
/// counts into the same metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct MetricsLayer {
    /// The global registry where there is none.
    registry: Option<Registry>,
    pub(super) settings: Settings,
    /// Made when the first service is wrapped, since the settings are complete
    /// only then. Shared by clones: axum clones a layer for every route.
    metrics: Arc<OnceLock<Arc<HttpMetrics>>>,
}

impl MetricsLayer {
    /// Makes a layer that counts into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a service, which
    /// is in `Router::layer` and so at start-up.
    ///
    /// # Panics
    ///
    /// Not here, but when it first wraps a service: if the registry holds
    /// something else under the name of one of its metrics. That is within
    /// `Router::layer`, but may be as late as the first connection where axum
    /// wraps lazily (`MethodRouter::layer` and `route_layer`). Call
    /// [`try_register`](Self::try_register) to learn of it for certain, and as an
    /// error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer like [`new`](Self::new) and registers its metrics at once,
    /// in the global registry.
    ///
    /// For a registry of one's own, end with
    /// [`try_register`](Self::try_register) instead:
    /// `MetricsLayer::new().registry(&registry).try_register()`.
    ///
    /// # Errors
    ///
    /// When the global registry holds something else under the name of one of
    /// the layer's metrics, or the same with other labels or buckets
    /// ([`Error::is_conflict`]).
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

    /// Registers the layer's metrics now, rather than when it first wraps a
    /// service.
    ///
    /// ```
    /// use tachometer::{MetricsLayer, Registry};
    ///
    /// let registry = Registry::new();
    /// registry.gauge("http_requests_total", "Not a counter.")?;
    /// let error = MetricsLayer::new().registry(&registry).try_register().unwrap_err();
    /// assert!(error.is_conflict());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the registry holds something else under the name of one of them, or the same
    /// with other labels or buckets ([`Error::is_conflict`]); when a
    /// [prefix](Self::prefix) or a label of one's own is not valid or there twice
    /// ([`Error::is_invalid_name`], [`Error::is_invalid_label`]).
    pub fn try_register(self) -> Result<Self, Error> {
        let metrics = self.make()?;
        // A clone may have made them meanwhile; they are the same ones.
        let _ = self.metrics.set(metrics);
        Ok(self)
    }

    /// Returns the layer without the metrics it has made, which clones of it go on
    /// using.
    pub(super) fn anew(self) -> Self {
        Self {
            metrics: Arc::default(),
            ..self
        }
    }

    fn make(&self) -> Result<Arc<HttpMetrics>, Error> {
        let registry = self.registry.as_ref().unwrap_or_else(|| Registry::global());
        let metrics = Arc::new(HttpMetrics::new(registry, self.settings.clone())?);
        register_routes(&metrics);
        Ok(metrics)
    }
}

impl fmt::Debug for MetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsLayer")
            .field("prefix", &self.settings.prefix)
            .field("registered", &self.metrics.get().is_some())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    /// Wraps a service.
    ///
    /// # Panics
    ///
    /// The first time, when the metrics cannot be registered, of which
    /// [`try_register`](Self::try_register) says when.
    fn layer(&self, inner: S) -> Self::Service {
        let metrics = self.metrics.get_or_init(|| match self.make() {
            Ok(metrics) => metrics,
            Err(error) => panic!("MetricsLayer cannot register its metrics: {error}"),
        });
        MetricsService::new(inner, Arc::clone(metrics))
    }
}
