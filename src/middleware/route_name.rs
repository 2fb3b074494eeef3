//! What a request's route is called.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::context::{Hook, UNMATCHED};
use crate::middleware::head::{RequestFn, RequestHead};

/// The choices about routes.
#[derive(Debug, Clone, Default)]
pub(super) struct RouteNaming {
    /// The name of the group that a route is in.
    pub(super) groups: HashMap<String, Arc<str>>,
    /// What a request is called that has no other name.
    pub(super) fallback: Option<String>,
    pub(super) route_fn: Option<Hook<RequestFn>>,
}

impl RouteNaming {
    /// Returns what the route is called by the user, by axum's router, or by the
    /// place where the layer sits, in this order.
    #[inline]
    pub(super) fn route_name<'a>(&'a self, head: &RequestHead<'a>) -> RouteName<'a> {
        let asked = self.route_fn.as_ref();
        let asked = asked.and_then(|hook| hook.call(|route| route(head)).flatten());
        match (asked, head.route_template()) {
            (Some(text), _) => RouteName::untrusted(text),
            (None, Some(template)) => RouteName::trusted(template),
            (None, None) => RouteName {
                is_fallback: true,
                ..RouteName::trusted(self.fallback.as_deref().unwrap_or(UNMATCHED))
            },
        }
    }

    /// Returns the name of the group that a route is in, or its own.
    pub(super) fn group_or_route<'a>(&'a self, route: &'a str) -> &'a str {
        self.groups.get(route).map_or(route, |group| group)
    }
}

/// What the route of a request is called.
pub(super) struct RouteName<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether no client can have invented it.
    pub(super) is_trusted: bool,
    /// Whether it stands for that there is none.
    pub(super) is_fallback: bool,
}

impl<'a> RouteName<'a> {
    /// A name that may have come from a client.
    pub(super) fn untrusted(text: Cow<'a, str>) -> Self {
        Self {
            text,
            is_trusted: false,
            is_fallback: false,
        }
    }

    /// A name that the router, or the program itself, has given.
    pub(super) fn trusted(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            is_trusted: true,
            is_fallback: false,
        }
    }
}
