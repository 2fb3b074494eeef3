//! Which layers are at work on the calling thread, and what those within them say.
//!
//! A request may pass two layers that count into the same metrics: one around the
//! whole service, which sees no route, and one inside the router. It is one
//! request, and the outer one counts it. The inner one notices, because the outer
//! one is at work on this thread when it is called, and tells it the route.
//!
//! But a handler may make another request, in this process, while it answers one, and
//! that is to be counted by itself. So the outer layer marks its request, which takes
//! no memory where there are other extensions, as axum has. Where there are none, the
//! request is known by where its path lies, until a layer was called within; from then
//! on all requests are marked, since a router that is nested gives them another path.

use std::cell::RefCell;
use std::sync::Arc;

use http::Request;

use crate::context::route::UNMATCHED;

thread_local! {
    static AT_WORK: RefCell<Vec<AtWork>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
struct AtWork {
    owner: usize,
    nested: Nested,
    /// The route that an inner layer told.
    route: Option<Arc<str>>,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nested {
    /// Where the path of the request lies, if it is not marked.
    path: Option<usize>,
    /// Whether a layer was called within, for this request or for another.
    called: bool,
}

/// Marks a request as one that a layer counts already.
#[derive(Debug, Clone, Copy)]
struct Counted {
    owner: usize,
}

impl Nested {
    /// Begins with a request that a layer is about to count.
    #[inline]
    pub(crate) fn of<B>(owner: usize, request: &mut Request<B>, always_mark: bool) -> Self {
        let marked = always_mark || !request.extensions().is_empty();
        if marked {
            request.extensions_mut().insert(Counted { owner });
        }
        Self {
            path: (!marked).then(|| path(request)),
            called: false,
        }
    }

    /// Returns true when a layer was called within.
    pub(crate) fn was_called(self) -> bool {
        self.called
    }
}

fn path<B>(request: &Request<B>) -> usize {
    request.uri().path().as_ptr().addr()
}

/// A layer that is at work on the calling thread, until it is dropped.
#[derive(Debug)]
#[must_use = "a layer is at work until this is dropped"]
pub(crate) struct Working {
    /// Whether it is on the list: a thread that is being torn down has none.
    listed: bool,
}

impl Working {
    /// Lets the layer whose metrics are known as `owner` be at work.
    #[inline]
    pub(crate) fn begin(owner: usize, nested: Nested) -> Self {
        let begun = AT_WORK.try_with(|at_work| {
            at_work.borrow_mut().push(AtWork {
                owner,
                nested,
                route: None,
            });
        });
        Self {
            listed: begun.is_ok(),
        }
    }

    /// Ends it, and returns what it knows now of those within it, and the route if
    /// one of them told it.
    #[inline]
    pub(crate) fn end(mut self) -> Option<(Nested, Option<Arc<str>>)> {
        self.take().map(|ended| (ended.nested, ended.route))
    }

    #[inline]
    fn take(&mut self) -> Option<AtWork> {
        let pop = |at_work: &RefCell<Vec<AtWork>>| at_work.borrow_mut().pop();
        let listed = std::mem::take(&mut self.listed);
        listed.then(|| AT_WORK.try_with(pop).ok()).flatten()?
    }
}

/// Where the code within panicked, too.
impl Drop for Working {
    #[inline]
    fn drop(&mut self) {
        self.take();
    }
}

/// Returns true when a layer of the same metrics counts this request already, which
/// is then to be [told](tell) the route.
#[inline]
pub(crate) fn is_counted<B>(owner: usize, request: &Request<B>) -> bool {
    let mark = request.extensions().get::<Counted>();
    let counted = with_outer(owner, |outer| {
        outer.nested.called = true;
        match outer.nested.path {
            Some(outer) => outer == path(request),
            // Be it that of another layer between the two.
            None => mark.is_some(),
        }
    });
    // What lies between may have handed the request to another thread.
    counted.unwrap_or_else(|| mark.is_some_and(|mark| mark.owner == owner))
}

/// Tells the layer that counts this request its route.
pub(crate) fn tell(owner: usize, route: Arc<str>) {
    with_outer(owner, |outer| {
        // A layer further in that sees none does not gainsay one that does.
        if outer.route.is_none() || *route != *UNMATCHED {
            outer.route = Some(route);
        }
    });
}

fn with_outer<T>(owner: usize, run: impl FnOnce(&mut AtWork) -> T) -> Option<T> {
    let outer = AT_WORK.try_with(|at_work| {
        let mut at_work = at_work.borrow_mut();
        let outer = at_work.iter_mut().rev().find(|outer| outer.owner == owner);
        outer.map(run)
    });
    outer.ok().flatten()
}
