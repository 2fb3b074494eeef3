//! What the router and the layers share, so that they need not import each other.
//!
//! - [`Unmeasured`] marks the router's responses, which the layer does not count: a scrape
//!   is not a request of the service, wherever the layer sits.
//! - [`RequestRoute`] is the route of the request that the calling code handles. The layer
//!   of LLM calls uses it as a label.
//! - [`leave_card`] and [`RouteSlot`] let nested layers of the same metrics
//!   count a request once. See [`nesting`].
//! - [`nest_prefix`] is the route of a nested service.
//! - [`PanicFlag`] detects panics of a wrapped service.
//! - [`Clock`] and [`UserClosure`] call the user's closures, which may panic.

mod clock;
mod current_route;
#[cfg(feature = "axum")]
mod nest_prefix;
mod nesting;
mod panic_flag;
mod request_route;
mod route_template;
mod user_closure;
#[cfg(feature = "axum")]
mod warn_once;

pub(crate) use clock::Clock;
pub(crate) use current_route::{CurrentRouteGuard, RouteId, RouteTable, register_routes};
#[cfg(feature = "axum")]
pub(crate) use nest_prefix::nest_prefix;
pub(crate) use nesting::{MetricsId, RouteSlot, find_slot, has_card, leave_card, leave_slot};
pub(crate) use panic_flag::PanicFlag;
pub use request_route::{RequestRoute, carry_route};
#[cfg(not(feature = "axum"))]
pub(crate) use route_template::nest_prefix;
pub(crate) use route_template::{RouteKind, UNMATCHED, outer_nest, route_template};
pub(crate) use user_closure::{OnPanic, UserClosure};
#[cfg(feature = "axum")]
pub(crate) use warn_once::WarnOnce;

/// An extension of responses that the layer must not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unmeasured;
