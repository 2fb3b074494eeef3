//! Whether the layer sits where it sees the routes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use http::StatusCode;

/// So many requests may succeed without a route before anything is said.
const PATIENCE: u32 = 100;

/// Notices when a layer never sees a route, though a router answers.
///
/// All of it is `Relaxed`: at worst a request is noted that need not be. The one that
/// makes the number full warns, and no other.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Whether a route was seen, and nothing is to be noticed any more.
    routed: AtomicBool,
    /// How many requests succeeded without one.
    unrouted: AtomicU32,
}

impl Placement {
    /// Notes a response, whose body is a `B`.
    #[inline]
    pub(super) fn record_response<B>(&self, routed: bool, status: StatusCode) {
        if self.routed.load(Ordering::Relaxed) {
            return;
        }
        if routed {
            self.routed.store(true, Ordering::Relaxed);
        } else if status.is_success() && is_axums::<B>() {
            let before = self.unrouted.fetch_add(1, Ordering::Relaxed);
            if before + 1 == PATIENCE {
                self.routed.store(true, Ordering::Relaxed);
                tracing::warn!(
                    "MetricsLayer has seen {PATIENCE} successful requests and not one route: it \
                     sits outside the router, where axum shows none; add it with \
                     `Router::layer`, after the routes, or one more there; or the application has \
                     none, and the layer is to name it by `mount`"
                );
            }
        }
    }
}

/// Returns true when the answer is of axum, whose router shows its routes to those
/// within it; another service may have none to show.
#[cfg(feature = "axum")]
fn is_axums<B>() -> bool {
    std::any::type_name::<B>() == std::any::type_name::<axum::body::Body>()
}

#[cfg(not(feature = "axum"))]
fn is_axums<B>() -> bool {
    false
}
