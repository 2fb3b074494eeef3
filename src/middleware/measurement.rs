//! How a layer treats one request: it counts the request, leaves that to an outer layer, or does
//! not measure it.

use std::sync::Arc;

use http::Request;
use http_body::Body;

use crate::context::{CurrentRouteGuard, RouteKind, RouteSlot};
use crate::middleware::axum_body::count_bytes;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::outcome::Outcome;
use crate::middleware::record::Record;
use crate::middleware::request_body::RequestBody;
use crate::middleware::request_bytes::may_have_body;
use crate::middleware::service_state::ServiceState;

/// What a layer does with one request.
pub(super) enum Measurement {
    /// The layer is switched off, or skips the request.
    Off,
    Counted(Record),
    /// An outer layer of the same metrics counts the request.
    Nested(NestedRequest),
}

impl Measurement {
    /// Starts to measure a request. Counts the bytes of its body if that is axum's.
    #[inline]
    pub(super) fn start<B: 'static>(
        state: Option<&Arc<ServiceState>>,
        request: &mut Request<B>,
    ) -> Self {
        let mut measurement = state.map_or(Self::Off, |state| state.start(request));
        if let Self::Counted(record) = &mut measurement {
            let is_counted = count_bytes(request.body_mut(), || record.request_bytes());
            if !is_counted && may_have_body(request) {
                record.note_unmeasured_body();
            }
        }
        measurement
    }

    /// Starts to measure a request, and wraps its body whatever its type.
    pub(super) fn start_with_body<B: Body + 'static>(
        state: Option<&Arc<ServiceState>>,
        mut request: Request<B>,
    ) -> (Self, Request<RequestBody<B>>) {
        let is_empty = request.body().is_end_stream();
        let mut measurement = state.map_or(Self::Off, |state| state.start(&mut request));
        let bytes = match &mut measurement {
            Self::Counted(record) if !is_empty => Some(record.request_bytes()),
            _ => None,
        };
        let request = request.map(|body| RequestBody::new(body, bytes));
        (measurement, request)
    }

    /// Code of the wrapped service is about to run for the request. The guard is to be kept
    /// until it has returned, and then [`exit`](Self::exit) is to be called.
    ///
    /// A closure for that code would be simpler, but requests and futures are large, and moving
    /// them into and out of it costs more than the measuring.
    #[inline]
    pub(super) fn enter(&mut self) -> CurrentRouteGuard {
        match self {
            Self::Counted(record) => record.enter(),
            Self::Off => CurrentRouteGuard::keep(),
            Self::Nested(nested) => nested.enter(),
        }
    }

    /// Code of the wrapped service has returned.
    #[inline]
    pub(super) fn exit(&mut self, guard: CurrentRouteGuard) {
        drop(guard);
        if let Self::Counted(record) = self {
            record.exit_service();
        }
    }

    /// Takes the record of a counted request, because the service has returned.
    #[inline]
    pub(super) fn take_record(&mut self) -> Option<Record> {
        match std::mem::replace(self, Self::Off) {
            Self::Counted(record) => Some(record),
            Self::Off | Self::Nested(_) => None,
        }
    }

    /// Ends the request, because the service has returned an error.
    pub(super) fn fail(&mut self) {
        if let Some(record) = self.take_record() {
            record.finish_with(Outcome::ServiceError);
        }
    }
}

/// A request that an outer layer of the same metrics counts.
pub(super) struct NestedRequest {
    endpoint: Arc<Endpoint>,
    /// Whether the outer layer knows no route and takes this one.
    is_route_used: bool,
}

impl NestedRequest {
    /// Writes the route to the slot of the outer layer, if it needs one.
    pub(super) fn new(endpoint: Arc<Endpoint>, kind: RouteKind, slot: Option<&RouteSlot>) -> Self {
        let is_route_used = slot.is_some_and(|slot| slot.write(&endpoint.route, kind));
        Self {
            endpoint,
            is_route_used,
        }
    }

    fn enter(&self) -> CurrentRouteGuard {
        let route = self.endpoint.route_id;
        if self.is_route_used {
            CurrentRouteGuard::enter(route)
        } else {
            // On another task than the outer layer's, no route is the current one.
            CurrentRouteGuard::enter_if_none(route)
        }
    }
}
