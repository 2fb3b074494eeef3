//! Warns if the layer sits where it does not see the routes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use http::StatusCode;

/// Number of successful requests without a route after which there is a warning.
const WARN_AFTER: u32 = 100;

/// Detects that a layer never sees a route, although a router answers.
///
/// Everything here is `Relaxed`: at worst a request is counted that need not be. Only the
/// request that completes the number warns.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Whether a route was seen or the warning was given, so that no more is counted.
    is_decided: AtomicBool,
    /// Successful requests without a route.
    without_route: AtomicU32,
}

impl Placement {
    /// Counts a response whose body is a `B`.
    #[inline]
    pub(super) fn record_response<B>(&self, has_route: bool, status: StatusCode) {
        if self.is_decided.load(Ordering::Relaxed) {
            return;
        }
        if has_route {
            self.is_decided.store(true, Ordering::Relaxed);
        } else if status.is_success() && is_axum_body::<B>() {
            let previous = self.without_route.fetch_add(1, Ordering::Relaxed);
            if previous + 1 == WARN_AFTER {
                self.is_decided.store(true, Ordering::Relaxed);
                tracing::warn!(
                    "MetricsLayer has seen {WARN_AFTER} successful requests and not one route. It \
                     may sit outside the router, where axum shows no routes: add it with \
                     `Router::layer` after the routes, or add a second one there. If the \
                     application has no routes, set a name with `MetricsLayer::fallback_route`"
                );
            }
        }
    }
}

/// Returns true if the response is axum's, whose router shows its routes to the layers inside.
/// Other services may have no routes to show.
#[cfg(feature = "axum")]
fn is_axum_body<B>() -> bool {
    std::any::type_name::<B>() == std::any::type_name::<axum::body::Body>()
}

#[cfg(not(feature = "axum"))]
fn is_axum_body<B>() -> bool {
    false
}
