//! The settings of a recorder.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::metric::{Buckets, MixedOptions};
use crate::registry::{Refusals, Registry};

/// The name of the facade in error messages and metrics.
pub(super) const LIBRARY: &str = "metrics";
/// How many names of each kind there may be.
const DEFAULT_NAME_LIMIT: usize = 2_000;

pub(super) struct Settings {
    /// The global one if `None`.
    pub(super) registry: Option<Registry>,
    /// The registry's count of refused series.
    refusals: OnceLock<Arc<Refusals>>,
    pub(super) label_limit: Option<usize>,
    pub(super) name_limit: usize,
    pub(super) lifetime: Option<Duration>,
    pub(super) buckets: Buckets,
    /// By name in the facade.
    pub(super) buckets_for: HashMap<String, Buckets>,
    pub(super) has_unit_suffixes: bool,
}

impl Settings {
    pub(super) fn new() -> Self {
        Self {
            registry: None,
            refusals: OnceLock::new(),
            label_limit: None,
            name_limit: DEFAULT_NAME_LIMIT,
            lifetime: None,
            buckets: Buckets::default(),
            buckets_for: HashMap::new(),
            has_unit_suffixes: true,
        }
    }

    /// Returns the registry to record in.
    pub(super) fn registry(&self) -> &Registry {
        self.registry.as_ref().unwrap_or_else(|| Registry::global())
    }

    /// Returns the registry's count of refused series, which is then exported.
    pub(super) fn refusals(&self) -> &Refusals {
        self.refusals
            .get_or_init(|| self.registry().refusals(LIBRARY))
    }

    /// Returns the options of a family whose series have these settings.
    pub(super) fn options<S>(&self, settings: S) -> MixedOptions<S> {
        MixedOptions {
            library: LIBRARY,
            settings,
            limit: self.label_limit,
            lifetime: self.lifetime,
        }
    }

    /// Returns the buckets of the histogram with this name in the facade.
    pub(super) fn buckets_of(&self, name: &str) -> Buckets {
        let buckets = self.buckets_for.get(name).unwrap_or(&self.buckets);
        buckets.clone()
    }
}
