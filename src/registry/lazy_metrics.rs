//! The metrics of a layer, registered when they are first needed.

use std::sync::{Arc, OnceLock};

use crate::error::{Conflict, Error};
use crate::registry::Registry;

/// Metrics that a layer registers with its settings.
pub(crate) trait LayerMetrics: Sized {
    type Settings: Clone + Default;

    /// The name of the layer, for error texts.
    const LAYER: &'static str;

    fn register(registry: &Registry, settings: Self::Settings) -> Result<Self, Error>;
}

/// The settings of a layer, and its metrics once they are registered.
///
/// The metrics are registered on first use, because the settings are complete only then.
/// Clones share them: axum clones a layer for every route.
pub(crate) struct LazyMetrics<M: LayerMetrics> {
    /// `None` stands for the global registry.
    registry: Option<Registry>,
    settings: Arc<M::Settings>,
    metrics: Arc<OnceLock<M>>,
}

impl<M: LayerMetrics> LazyMetrics<M> {
    pub(crate) fn settings(&self) -> &M::Settings {
        &self.settings
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.metrics.get().is_some()
    }

    /// Changes the registry. The clones keep the metrics registered so far; the result has none.
    pub(crate) fn set_registry(self, registry: &Registry) -> Self {
        Self {
            registry: Some(registry.clone()),
            metrics: Arc::default(),
            ..self
        }
    }

    /// Changes the settings. The clones keep the metrics registered so far; the result has none.
    pub(crate) fn set(mut self, change: impl FnOnce(&mut M::Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        Self {
            metrics: Arc::default(),
            ..self
        }
    }

    /// Registers the metrics now.
    pub(crate) fn try_register(&self) -> Result<(), Error> {
        let metrics = self.register()?;
        // A clone may have registered them meanwhile, which are the same families.
        let _ = self.metrics.set(metrics);
        Ok(())
    }

    /// Returns the metrics, and registers them if they are not yet.
    ///
    /// # Panics
    ///
    /// If they cannot be registered.
    pub(crate) fn get_or_register(&self) -> &M {
        self.metrics.get_or_init(|| match self.register() {
            Ok(metrics) => metrics,
            Err(error) => panic!("{} cannot register its metrics: {error}", M::LAYER),
        })
    }

    fn register(&self) -> Result<M, Error> {
        let registry = self.registry.as_ref().unwrap_or_else(|| Registry::global());
        let metrics = M::register(registry, M::Settings::clone(&self.settings));
        metrics.map_err(|error| error.map_remedy(remedy::<M>))
    }
}

/// Returns what the user of a layer can do about a conflict.
fn remedy<M: LayerMetrics>(conflict: Conflict) -> String {
    let layer = M::LAYER;
    let same = match conflict {
        Conflict::Labels => format!("give each `{layer}` of the registry the same labels, "),
        Conflict::Buckets => format!("give each `{layer}` of the registry the same buckets, "),
        Conflict::Metric | Conflict::Other => String::new(),
    };
    let or = if same.is_empty() { "" } else { "or " };
    format!(
        "{same}{or}set a prefix with `{layer}::prefix`, or use another registry with \
         `{layer}::registry`"
    )
}

impl<M: LayerMetrics> Clone for LazyMetrics<M> {
    fn clone(&self) -> Self {
        Self {
            registry: self.registry.clone(),
            settings: Arc::clone(&self.settings),
            metrics: Arc::clone(&self.metrics),
        }
    }
}

impl<M: LayerMetrics> Default for LazyMetrics<M> {
    fn default() -> Self {
        Self {
            registry: None,
            settings: Arc::default(),
            metrics: Arc::default(),
        }
    }
}
