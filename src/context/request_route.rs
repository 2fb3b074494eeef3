//! The route of the request that is being answered, to be asked for and to be carried.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::current_route::{current_route, with_route};

/// The route of the request that is being answered, as a [`MetricsLayer`] calls it.
///
/// A handler, and all that it awaits, finds it with [`current`](Self::current). What it
/// hands to another task or thread does not, unless the route is carried there:
///
/// ```
/// use tachometer::{RequestRoute, carry_route};
///
/// # async fn handler() {
/// // A task, or any other future.
/// tokio::spawn(carry_route(async { /* calls a model */ }));
///
/// // A thread.
/// let route = RequestRoute::current();
/// tokio::task::spawn_blocking(move || route.run(|| { /* calls a model */ }));
/// # }
/// ```
///
/// [`MetricsLayer`]: crate::MetricsLayer
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestRoute(Option<Arc<str>>);

impl RequestRoute {
    /// Returns the route of the request that the calling code answers; none elsewhere.
    #[must_use]
    pub fn current() -> Self {
        Self(current_route())
    }

    /// Returns what the route is called: its template, or `unmatched` where the request
    /// matched none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Lets `future` find this as its request's route, wherever it is polled.
    #[must_use = "a future does nothing until it is polled"]
    pub fn carry<F: Future>(self, future: F) -> WithRoute<F> {
        WithRoute {
            inner: future,
            route: self,
        }
    }

    /// Lets `run`, and what it calls, find this as its request's route.
    pub fn run<T>(&self, run: impl FnOnce() -> T) -> T {
        with_route(self.0.as_ref(), run)
    }
}

/// Does not print the name, which may come from a client. Print
/// [`name`](RequestRoute::name) if it does not.
impl fmt::Debug for RequestRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRoute")
            .field("is_known", &self.0.is_some())
            .finish_non_exhaustive()
    }
}

/// Lets `future` find the route of the request that the calling code answers, wherever the
/// future is polled: in a task of its own, say.
///
/// ```
/// # async fn handler() {
/// tokio::spawn(tachometer::carry_route(async { /* calls a model */ }));
/// # }
/// ```
#[must_use = "a future does nothing until it is polled"]
pub fn carry_route<F: Future>(future: F) -> WithRoute<F> {
    RequestRoute::current().carry(future)
}

pin_project! {
    /// A future that finds the route of a request, made by [`carry_route`].
    #[must_use = "a future does nothing until it is polled"]
    pub struct WithRoute<F> {
        #[pin]
        inner: F,
        route: RequestRoute,
    }
}

/// Does not print the inner future, which may hold a request.
impl<F> fmt::Debug for WithRoute<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithRoute").finish_non_exhaustive()
    }
}

impl<F: Future> Future for WithRoute<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let inner = this.inner;
        this.route.run(|| inner.poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> RequestRoute {
        RequestRoute(Some(name.into()))
    }

    #[test]
    fn a_route_is_found_within_what_carries_it_and_nowhere_else() {
        let found = RequestRoute::current;
        assert_eq!(found().name(), None);
        named("/a").run(|| {
            assert_eq!(found(), named("/a"));
            named("/b").run(|| assert_eq!(found(), named("/b")));
            RequestRoute::default().run(|| assert_eq!(found().name(), None));
            assert_eq!(found(), named("/a"));
            std::thread::spawn(move || assert_eq!(found().name(), None))
                .join()
                .unwrap();
        });
        assert_eq!(found().name(), None);
    }

    #[test]
    fn a_panic_leaves_no_route_behind() {
        let panicked = std::panic::catch_unwind(|| named("/a").run(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(RequestRoute::current().name(), None);
    }
}
