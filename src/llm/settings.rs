//! The settings of an LLM layer.

use std::borrow::Cow;

use crate::context::{Clock, OnPanic, UserClosure};
use crate::llm::cost::PriceTable;
use crate::metric::Buckets;

/// The settings of an LLM layer.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: String,
    pub(crate) provider: Option<Box<str>>,
    /// Configured hosts, each with its provider.
    pub(crate) provider_by_host: Vec<(Box<str>, Box<str>)>,
    pub(crate) known_models: Vec<Box<str>>,
    /// Provider, model and operation of the series that are created at registration.
    pub(crate) predeclared: Vec<[Box<str>; 3]>,
    pub(crate) default_model: Option<Box<str>>,
    pub(crate) model_limit: Option<usize>,
    pub(crate) rename_model: Option<UserClosure<RenameModel>>,
    pub(crate) skip: Option<UserClosure<SkipRequest>>,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) preset: Preset,
    pub(crate) prices: Option<PriceTable>,
    pub(crate) has_route_metrics: bool,
    pub(crate) clock: Clock,
}

/// A closure that returns the name under which a model is recorded, which may be a part of its
/// name.
pub(crate) type RenameModel = dyn Fn(&str) -> Cow<'_, str> + Send + Sync;

/// A closure that returns true if a request to a host and a path is not measured.
pub(crate) type SkipRequest = dyn Fn(&str, &str) -> bool + Send + Sync;

/// The default limit of models.
const DEFAULT_MODEL_LIMIT: usize = 100;

impl Settings {
    /// Sets what is called after a panic of a closure.
    pub(crate) fn set_on_panic(&mut self, on_panic: &OnPanic) {
        if let Some(rename_model) = &mut self.rename_model {
            rename_model.set_on_panic(on_panic);
        }
        if let Some(skip) = &mut self.skip {
            skip.set_on_panic(on_panic);
        }
        self.clock.set_on_panic(on_panic);
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            provider: None,
            provider_by_host: Vec::new(),
            known_models: Vec::new(),
            predeclared: Vec::new(),
            default_model: None,
            model_limit: Some(DEFAULT_MODEL_LIMIT),
            rename_model: None,
            skip: None,
            buckets: None,
            preset: Preset::default(),
            prices: None,
            has_route_metrics: false,
            clock: Clock::default(),
        }
    }
}

/// A naming scheme for the metrics and their labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Preset {
    /// The names in the documentation of the [module](crate::llm).
    #[default]
    Llm,
    /// The names of [`LlmLayer::otel_names`](crate::llm::LlmLayer::otel_names).
    Otel,
}
