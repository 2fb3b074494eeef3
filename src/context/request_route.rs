//! The route of the request that the calling code handles, to be read and carried along.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context::current_route::{current_route, with_route};

/// The route of the request that the calling code handles, as a [`MetricsLayer`] labels it.
///
/// A handler and everything that it awaits get it from [`current`](Self::current). Other
/// tasks and threads do not, unless the route is carried there:
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
#[doc(alias = "MatchedPath")]
#[doc(alias = "endpoint")]
pub struct RequestRoute(Option<Arc<str>>);

impl RequestRoute {
    /// Returns the route of the request that the calling code handles. Outside of a request
    /// it is a route without a [name](Self::name).
    #[must_use]
    pub fn current() -> Self {
        Self(current_route())
    }

    /// Returns the name of the route: its template, or `unmatched` if the request matched
    /// no route. Returns `None` outside of a request.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns a future that runs `future` with this as the current route, wherever it is
    /// polled.
    #[must_use = "a future does nothing until it is polled"]
    pub fn carry<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        RouteFuture {
            inner: future,
            route: self,
        }
    }

    /// Runs a closure with this as the current route.
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

/// Returns a future that runs `future` with the current route of the caller, wherever it is
/// polled: in another task, for example.
///
/// ```
/// # async fn handler() {
/// tokio::spawn(tachometer::carry_route(async { /* calls a model */ }));
/// # }
/// ```
#[must_use = "a future does nothing until it is polled"]
pub fn carry_route<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    RequestRoute::current().carry(future)
}

pin_project! {
    /// A future that is polled with a route as the current one.
    struct RouteFuture<F> {
        #[pin]
        inner: F,
        route: RequestRoute,
    }
}

impl<F: Future> Future for RouteFuture<F> {
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

    fn route(name: &str) -> RequestRoute {
        RequestRoute(Some(name.into()))
    }

    #[test]
    fn a_carried_route_is_current_while_the_closure_runs_and_on_that_thread_alone() {
        let current = RequestRoute::current;
        assert_eq!(current().name(), None);
        route("/a").run(|| {
            assert_eq!(current(), route("/a"));
            route("/b").run(|| assert_eq!(current(), route("/b")));
            RequestRoute::default().run(|| assert_eq!(current().name(), None));
            assert_eq!(current(), route("/a"));
            std::thread::spawn(move || assert_eq!(current().name(), None))
                .join()
                .unwrap();
        });
        assert_eq!(current().name(), None);
    }

    #[test]
    fn a_panic_leaves_no_route_behind() {
        let panicked = std::panic::catch_unwind(|| route("/a").run(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(RequestRoute::current().name(), None);
    }
}
