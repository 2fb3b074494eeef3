//! The settings of the system metrics, and their registration.

use std::time::Duration;

use crate::error::Error;
use crate::registry::Registry;
use crate::system::collector::{self, DEFAULT_INTERVAL};

/// The metrics of the machine, the process and its container. See the [module](crate::system).
#[doc(alias("process", "cpu", "memory", "container", "cgroup"))]
#[derive(Debug, Clone)]
#[must_use = "call `register` to add the metrics to a registry"]
pub struct SystemMetrics {
    interval: Duration,
}

impl SystemMetrics {
    /// Creates the metrics with the default interval of one second.
    pub fn new() -> Self {
        Self {
            interval: DEFAULT_INTERVAL,
        }
    }

    /// Sets the minimum time between two readings; by default one second. Scrapes within the
    /// interval report the last reading.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval }
    }

    /// Registers the metrics, unless the registry has them already, and takes the first reading.
    /// If `registry` has constant labels, the metrics have them, too.
    ///
    /// # Errors
    ///
    /// If one of the names is already in use ([`Error::is_conflict`]), for example by the same
    /// metrics without the constant labels. The other metrics are registered.
    pub fn register(&self, registry: &Registry) -> Result<(), Error> {
        let (_, conflict) = collector::register(self.interval, registry);
        conflict.map_or(Ok(()), Err)
    }

    /// Registers the metrics, and logs a warning if a name is already in use.
    #[cfg(feature = "axum")]
    pub(crate) fn register_or_warn(&self, registry: &Registry) {
        collector::register_or_warn(self.interval, registry);
    }
}

impl Default for SystemMetrics {
    fn default() -> Self {
        Self::new()
    }
}
