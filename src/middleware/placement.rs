//! Warns if the layer sits where it does not see the routes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use http::StatusCode;

use crate::middleware::unrouted::is_refused;

/// Number of requests after which there is a warning if not one had a route.
const FIRST_CHECK: u32 = 100;
/// Number of requests after which there is a warning if most had no route.
const LAST_CHECK: u32 = 1_000;

/// Detects that a layer sees few routes or none, although a router answers.
///
/// It looks at the first requests through axum's router, and warns at most once. Everything
/// here is `Relaxed`: at worst a request is counted that need not be.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Whether the last check is done or the warning was given, so that no more is counted.
    is_decided: AtomicBool,
    responses: AtomicU32,
    /// Responses without a route that show that something handled the request.
    without_route: AtomicU32,
    /// Responses 404 and 405 without a route.
    unmatched: AtomicU32,
}

impl Placement {
    /// Counts a response to a request whose route is known.
    #[inline]
    pub(super) fn record_with_route(&self) {
        if !self.is_decided.load(Ordering::Relaxed) {
            self.check();
        }
    }

    /// Counts a response to a request whose route is not known.
    pub(super) fn record_without_route(&self, status: StatusCode) {
        if !self.is_decided.load(Ordering::Relaxed) {
            let count = if is_refused(status) {
                &self.unmatched
            } else {
                &self.without_route
            };
            count.fetch_add(1, Ordering::Relaxed);
            self.check();
        }
    }

    #[cold]
    fn check(&self) {
        let responses = self.responses.fetch_add(1, Ordering::Relaxed) + 1;
        if responses != FIRST_CHECK && responses != LAST_CHECK {
            return;
        }
        let without_route = self.without_route.load(Ordering::Relaxed);
        let unmatched = self.unmatched.load(Ordering::Relaxed);
        let is_warned = warn(responses, without_route, unmatched);
        if is_warned || responses == LAST_CHECK {
            self.is_decided.store(true, Ordering::Relaxed);
        }
    }
}

/// Returns true if a response with a body of this type is axum's.
pub(super) fn is_axum_body<B>() -> bool {
    std::any::type_name::<B>() == axum_body_name()
}

fn axum_body_name() -> &'static str {
    #[cfg(feature = "axum")]
    return std::any::type_name::<axum::body::Body>();
    #[cfg(not(feature = "axum"))]
    return "";
}

/// Warns if the numbers call for it, and returns whether they do.
fn warn(responses: u32, without_route: u32, unmatched: u32) -> bool {
    let has_no_routes = without_route + unmatched >= responses;
    if has_no_routes && without_route == 0 {
        tracing::warn!(
            "All of the first {responses} requests that MetricsLayer has measured matched no \
             route. If the application has routes, the layer was added before them and does not \
             measure them: call `Router::layer` after all routes and the fallback"
        );
    } else if has_no_routes {
        tracing::warn!(
            "MetricsLayer has seen no route in its first {responses} requests. It may be outside \
             of the router, where axum shows no routes: add it with `Router::layer` after the \
             routes, or add a second one there. If the application has no routes, set a name with \
             `MetricsLayer::fallback_route`"
        );
    } else if responses == LAST_CHECK && without_route + unmatched > responses / 2 {
        tracing::warn!(
            "Most requests to this service have no route: of the first {responses}, \
             {unmatched} are `unmatched` (404 or 405) and {without_route} are `fallback` (any other \
             response). To name the requests of a `fallback_service`, add a layer with \
             `MetricsLayer::fallback_route` around it"
        );
    } else {
        return false;
    }
    true
}
