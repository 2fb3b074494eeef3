//! What the router and the layers share, so that they need not import each other.
//!
//! - [`Unmeasured`] marks the router's responses, which the layer does not count: a scrape
//!   is not a request of the service, wherever the layer sits.
//! - [`RequestRoute`] is the route of the request that the calling code handles. The layer
//!   of LLM calls uses it as a label.
//! - [`Incoming`], [`ActiveLayer`] and [`report_route`] let nested layers of the same
//!   metrics count a request once. See [`nesting`].
//! - [`PanicFlag`] detects panics of a wrapped service.
//! - [`Clock`] and [`UserClosure`] call the user's closures, which may panic.

mod clock;
mod current_route;
mod nesting;
mod panic_flag;
mod request_route;
mod route_template;
mod user_closure;
#[cfg(feature = "axum")]
mod warn_once;

pub(crate) use clock::Clock;
pub(crate) use current_route::{CurrentRouteGuard, RouteId, RouteTable, register_routes};
pub(crate) use nesting::active_layers::{ActiveLayer, NestingState, report_route};
pub(crate) use nesting::incoming::{Incoming, mark_counted, reveal_marker};
pub(crate) use panic_flag::PanicFlag;
pub use request_route::{RequestRoute, carry_route};
pub(crate) use route_template::{UNMATCHED, route_template};
pub(crate) use user_closure::UserClosure;
#[cfg(feature = "axum")]
pub(crate) use warn_once::WarnOnce;

/// An extension of responses that the layer must not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unmeasured;
