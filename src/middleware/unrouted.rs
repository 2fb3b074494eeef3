//! Requests whose route the layer does not know when they start.

use std::sync::Arc;

use http::StatusCode;

use crate::context::{RouteKind, RouteSlot};
use crate::middleware::endpoint::Endpoint;
use crate::middleware::route_name::{FALLBACK, RouteName};
use crate::middleware::service_state::ServiceState;

/// What moves a request to another endpoint once its route is known.
#[derive(Clone)]
pub(super) struct Unrouted {
    state: Arc<ServiceState>,
    /// Where a layer further in writes the route.
    slot: Arc<RouteSlot>,
    kind: RouteKind,
}

impl Unrouted {
    pub(super) fn new(state: &Arc<ServiceState>, slot: Arc<RouteSlot>, kind: RouteKind) -> Self {
        Self {
            state: Arc::clone(state),
            slot,
            kind,
        }
    }

    /// Returns true if the request is not counted unless more becomes known about its route.
    pub(super) fn is_skipped(&self) -> bool {
        self.kind == RouteKind::Unmatched && self.state.metrics.shared.settings.skip_unmatched
    }

    /// Counts the response for the warning about a layer that sees no routes, if it is axum's.
    /// Other services may have no routes to show.
    pub(super) fn record_placement(&self, status: StatusCode, is_axum: bool) {
        let placement = &self.state.metrics.shared.placement;
        match self.kind {
            RouteKind::Unmatched if is_axum => placement.record_without_route(status),
            RouteKind::Unmatched => {}
            RouteKind::Placeholder | RouteKind::Named => placement.record_with_route(),
        }
    }

    /// Returns the endpoint of the route that a layer further in wrote, if that is a better one.
    pub(super) fn endpoint_from_slot(&mut self, current: &Endpoint) -> Option<Arc<Endpoint>> {
        if self.kind == RouteKind::Named {
            return None;
        }
        let (route, kind) = self.slot.read()?;
        if kind < self.kind || *route == *current.route {
            return None;
        }
        self.kind = kind;
        // The layer further in has already admitted a new name, so the limit is not counted twice.
        let name = RouteName::untrusted((&*route).into());
        Some(Arc::clone(
            self.state.metrics.endpoint(current.method, &name),
        ))
    }

    /// Returns the endpoint of requests that the service answered, although they have no known
    /// route. `None` stands for the current one.
    ///
    /// A router answers 404 or 405 to requests that match nothing. Any other end shows that
    /// something handled the request.
    pub(super) fn answered_endpoint(
        &mut self,
        current: &Endpoint,
        status: Option<StatusCode>,
    ) -> Option<Arc<Endpoint>> {
        if status.is_some_and(is_refused) || self.kind != RouteKind::Unmatched {
            return None;
        }
        self.kind = RouteKind::Placeholder;
        let name = RouteName::trusted(FALLBACK);
        Some(Arc::clone(
            self.state.metrics.endpoint(current.method, &name),
        ))
    }
}

/// Returns true for the status codes of a router that has no handler for a request.
pub(super) fn is_refused(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    )
}
