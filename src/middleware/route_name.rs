//! The name of a request's route.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::context::UserClosure;
use crate::middleware::closures::RequestFn;

/// The route of requests without a known route that the service answered.
pub(super) const FALLBACK: &str = "fallback";

/// The settings that decide the name of a route.
#[derive(Debug, Clone, Default)]
pub(super) struct RouteNaming {
    /// The name of the group of a route, by the route's template.
    pub(super) groups: HashMap<String, Arc<str>>,
    /// The name of requests that have no other.
    pub(super) fallback: Option<String>,
    pub(super) route_fn: Option<UserClosure<RequestFn>>,
}

impl RouteNaming {
    /// Returns the name of the group that a route is in, or else the route.
    pub(super) fn group_or_route<'a>(&'a self, route: &'a str) -> &'a str {
        self.groups.get(route).map_or(route, |group| group)
    }
}

/// The name of a request's route.
pub(super) struct RouteName<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether the router or the program chose it, so that no client can invent it.
    pub(super) is_trusted: bool,
}

impl<'a> RouteName<'a> {
    /// A name that may come from a client.
    pub(super) fn untrusted(text: Cow<'a, str>) -> Self {
        Self {
            text,
            is_trusted: false,
        }
    }

    /// A name that the router or the program chose.
    pub(super) fn trusted(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            is_trusted: true,
        }
    }
}
