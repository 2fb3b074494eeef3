//! The metrics of the system, which the router adds to the registry that it serves.

use crate::registry::Registry;
use crate::router::MetricsRouter;
use crate::system::SystemMetrics;

impl MetricsRouter {
    /// Adds the metrics of the [system](crate::system) with these settings, where the registry
    /// has them not yet; by default it does so with the interval of a second.
    ///
    /// A metric whose name is taken by something else is left out, with a warning.
    pub fn system_metrics(self, metrics: SystemMetrics) -> Self {
        Self {
            system: Some(metrics),
            ..self
        }
    }

    /// Leaves the metrics of the system to others, such as an exporter beside the service.
    pub fn without_system_metrics(self) -> Self {
        Self {
            system: None,
            ..self
        }
    }

    pub(super) fn attach_system(&self) {
        if let Some(system) = &self.system {
            let registry = self.registry.as_ref();
            system.attach(registry.unwrap_or_else(|| Registry::global()));
        }
    }
}
