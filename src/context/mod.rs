//! What two rooms share that must not know each other.
//!
//! The router answers scrapes and the layer counts requests. Wherever the layer
//! sits, a scrape is not a request of the service, so the router marks its
//! answers and the layer leaves marked ones out. And whoever counts calls that are
//! made while a request is answered may ask for its route. Both layers take their times
//! from a clock that tests can set, and call closures of the user's, which may panic.

mod clock;
mod current_route;
mod hook;
mod nesting;
mod request_route;
mod route_template;

pub(crate) use clock::Clock;
pub(crate) use current_route::{CurrentRouteGuard, RouteId, RouteTable, register_routes};
pub(crate) use hook::Hook;
pub(crate) use nesting::incoming::{Incoming, mark_counted, reveal_marker};
pub(crate) use nesting::layer_stack::{ActiveLayer, NestingState, report_route};
pub use request_route::{RequestRoute, WithRoute, carry_route};
pub(crate) use route_template::{UNMATCHED, route_template};

/// Marks a response that the layer is not to count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unmeasured;
