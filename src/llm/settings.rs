//! The settings of a layer.

use crate::context::{Clock, Hook};
use crate::llm::cost::PriceTable;
use crate::metric::Buckets;

/// What a layer was built with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: String,
    pub(crate) provider: Option<Box<str>>,
    /// Hosts that the user names, each with its provider.
    pub(crate) hosts: Vec<(Box<str>, Box<str>)>,
    pub(crate) known_models: Vec<Box<str>>,
    /// The provider, model and operation of calls whose series are created at registration.
    pub(crate) predeclared: Vec<[Box<str>; 3]>,
    pub(crate) default_model: Option<Box<str>>,
    pub(crate) limit: Option<usize>,
    pub(crate) rename_model: Option<Hook<RenameModel>>,
    pub(crate) skip: Option<Hook<SkipRequest>>,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) preset: Preset,
    pub(crate) prices: Option<PriceTable>,
    pub(crate) by_route: bool,
    pub(crate) clock: Clock,
}

/// Returns the name under which a model is recorded.
pub(crate) type RenameModel = dyn Fn(&str) -> String + Send + Sync;

/// Returns true if a request to this host and path is not measured.
pub(crate) type SkipRequest = dyn Fn(&str, &str) -> bool + Send + Sync;

/// The default limit of models.
const MODELS: usize = 100;

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            provider: None,
            hosts: Vec::new(),
            known_models: Vec::new(),
            predeclared: Vec::new(),
            default_model: None,
            limit: Some(MODELS),
            rename_model: None,
            skip: None,
            buckets: None,
            preset: Preset::default(),
            prices: None,
            by_route: false,
            clock: Clock::default(),
        }
    }
}

/// A naming scheme for the metrics and their labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// The names that the [module](crate::llm) lists.
    #[default]
    Llm,
    /// The names and histogram bounds of OpenTelemetry's semantic conventions for generative
    /// AI clients, as Prometheus writes them: `gen_ai_client_operation_duration_seconds`,
    /// `gen_ai_client_token_usage`, `gen_ai_client_operation_time_to_first_chunk_seconds` and
    /// `gen_ai_client_operation_time_per_output_chunk_seconds`, with the labels
    /// `gen_ai_provider_name`, `gen_ai_request_model` and `gen_ai_operation_name`. Metrics that
    /// the conventions do not define start with `gen_ai_client_` too.
    Otel,
}
