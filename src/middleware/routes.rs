//! What a request's route is called.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::context::{Hook, UNMATCHED};
use crate::middleware::head::{OfRequest, RequestHead};

/// The choices about routes.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes {
    /// The name of the group that a route is in.
    pub(super) groups: HashMap<String, Arc<str>>,
    /// What a request is called that has no other name.
    pub(super) mount: Option<String>,
    pub(super) asked: Option<Hook<OfRequest>>,
}

impl Routes {
    /// Returns what the route is called by the user, by axum's router, or by the
    /// place where the layer sits, in this order.
    #[inline]
    pub(super) fn name<'a>(&'a self, head: &RequestHead<'a>) -> RouteName<'a> {
        let asked = self.asked.as_ref();
        let asked = asked.and_then(|hook| hook.ask(|route| route(head)).flatten());
        match (asked, head.template()) {
            (Some(text), _) => RouteName::asked(text),
            (None, Some(template)) => RouteName::known(template),
            (None, None) => RouteName {
                is_makeshift: true,
                ..RouteName::known(self.mount.as_deref().unwrap_or(UNMATCHED))
            },
        }
    }

    /// Returns the name of the group that a route is in, or its own.
    pub(super) fn named<'a>(&'a self, route: &'a str) -> &'a str {
        self.groups.get(route).map_or(route, |group| group)
    }
}

/// What the route of a request is called.
pub(super) struct RouteName<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether no client can have invented it.
    pub(super) is_known: bool,
    /// Whether it stands for that there is none.
    pub(super) is_makeshift: bool,
}

impl<'a> RouteName<'a> {
    /// A name that may have come from a client.
    pub(super) fn asked(text: Cow<'a, str>) -> Self {
        Self {
            text,
            is_known: false,
            is_makeshift: false,
        }
    }

    /// A name that the router, or the program itself, has given.
    pub(super) fn known(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            is_known: true,
            is_makeshift: false,
        }
    }
}
