//! Warns if the HTTP layer of the registry measures nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::registry::Registry;
use crate::snapshot::Role;

/// Number of scrapes after which there is a warning.
const SCRAPES: u32 = 10;

/// Detects that a layer has registered its metrics and measured no request since.
#[derive(Debug, Default)]
pub(crate) struct UnusedLayerCheck {
    scrapes: AtomicU32,
}

impl UnusedLayerCheck {
    /// Counts a scrape. Warns at the tenth one if there has been no request.
    pub(crate) fn on_scrape(&self, registry: &Registry) {
        // Relaxed: the counter guards no other data. The load keeps later scrapes from writing.
        if self.scrapes.load(Ordering::Relaxed) >= SCRAPES
            || self.scrapes.fetch_add(1, Ordering::Relaxed) + 1 != SCRAPES
        {
            return;
        }
        let metrics = registry.metrics();
        let mut of_requests = metrics.iter().filter(|metric| {
            matches!(metric.role(), Some(Role::HttpRequests | Role::HttpInFlight))
        });
        let is_registered = of_requests.clone().next().is_some();
        if is_registered && of_requests.all(|metric| metric.series() == 0) {
            tracing::warn!(
                "MetricsLayer has measured no request in the time of {SCRAPES} scrapes. If the \
                 application has received requests, the layer was added before the routes: call \
                 `Router::layer` after all routes and the fallback"
            );
        }
    }
}
