//! A layer around a `Router` is what `axum::serve` takes, as the `Router` itself is.
//!
//! `axum::serve` asks for a service that makes a service for each connection, and for responses
//! with axum's `Body`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::serve::{IncomingStream, Listener};
use tower::Service;

use crate::middleware::boxed::BoxedMetricsService;
use crate::middleware::service::MetricsService;
use crate::middleware::service_state::ServiceState;

impl<L: Listener> Service<IncomingStream<'_, L>> for MetricsService<Router> {
    type Response = BoxedMetricsService<Router>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: IncomingStream<'_, L>) -> Self::Future {
        ready(Ok(connection_service(self.inner(), self.state())))
    }
}

impl<L: Listener> Service<IncomingStream<'_, L>> for BoxedMetricsService<Router> {
    type Response = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: IncomingStream<'_, L>) -> Self::Future {
        ready(Ok(connection_service(self.inner(), self.state())))
    }
}

/// Returns the service of a connection. The router builds its routes here, and not at each
/// request.
fn connection_service(
    router: &Router,
    state: Option<&Arc<ServiceState>>,
) -> BoxedMetricsService<Router> {
    BoxedMetricsService::new(router.clone().with_state(()), state.cloned())
}
