//! What a request's route is called.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::context::UNMATCHED;
use crate::middleware::head::RequestHead;
use crate::middleware::hook::Hook;

/// The choices about routes.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes {
    /// The name of the group that a route is in.
    pub(super) groups: HashMap<String, Arc<str>>,
    /// What a request is called that has no other name.
    pub(super) mount: Option<String>,
    pub(super) asked: Option<Hook<RouteOf>>,
}

pub(super) type RouteOf = dyn Fn(&RequestHead<'_>) -> Option<Cow<'static, str>> + Send + Sync;

impl Routes {
    /// Returns what the route is called by the user, by axum's router, or by the
    /// place where the layer sits, in this order.
    #[inline]
    pub(super) fn asked<'a>(&'a self, head: &RequestHead<'a>) -> Cow<'a, str> {
        let asked = self.asked.as_ref();
        let asked = asked.and_then(|hook| hook.ask(|route| route(head)).flatten());
        if let Some(asked) = asked {
            return asked;
        }
        let known = head.template().or(self.mount.as_deref());
        Cow::Borrowed(known.unwrap_or(UNMATCHED))
    }

    /// Returns the name of the group that a route is in, or its own.
    pub(super) fn named(&self, route: &str) -> Arc<str> {
        match self.groups.get(route) {
            Some(group) => Arc::clone(group),
            None => route.into(),
        }
    }

    /// Returns true when a client may invent routes.
    pub(super) fn are_open(&self) -> bool {
        self.asked.is_some()
    }
}
