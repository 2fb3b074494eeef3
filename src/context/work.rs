//! Which layers are at work on the calling thread, and what those within them say.
//!
//! A request may pass two layers that count into the same metrics: one around the
//! whole service, which sees no route, and one inside the router. It is one
//! request, and the outer one counts it. The inner one notices, because the outer
//! one is at work on this thread when it is called, and tells it the route.
//!
//! But a handler may make another request, in this process, while it answers one, and
//! that is to be counted by itself; and what lies between the two layers may hand the
//! request to another thread. So the outer layer leaves a [trace](found) in the
//! request's body, by which the inner one knows it. If something between the two has
//! put another body in its place, there is a mark among the extensions besides, from
//! when that happens on: most applications have one layer, and no need of it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use http::{Extensions, Request};
use http_body::Body;

use crate::context::route::UNMATCHED;

thread_local! {
    static AT_WORK: RefCell<Vec<AtWork>> = const { RefCell::new(Vec::new()) };
    static SEARCH: Cell<Search> = const { Cell::new(Search::None) };
}

#[derive(Debug)]
struct AtWork {
    owner: usize,
    nested: Nested,
    /// The route that an inner layer told.
    route: Option<Arc<str>>,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nested {
    /// Whether the request is marked.
    marked: bool,
    /// Whether a layer was called within, for a request of another body.
    called: bool,
}

/// Marks a request as one that a layer counts already.
#[derive(Debug, Clone, Copy)]
struct Counted;

impl Nested {
    /// Begins with a request that is marked.
    #[cold]
    pub(crate) fn mark(extensions: &mut Extensions) -> Self {
        extensions.insert(Counted);
        Self {
            marked: true,
            called: false,
        }
    }

    /// Returns true when requests had better be marked.
    pub(crate) fn asks_for_marks(self) -> bool {
        self.called && !self.marked
    }
}

/// A search for a layer's trace in a request's body.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Search {
    None,
    /// For the trace of the layer whose metrics are known so.
    For(usize),
    Found,
}

/// Returns whether the body has ended, and whether a layer of the same metrics has
/// left its trace in it.
#[inline]
fn search(owner: usize, has_ended: impl FnOnce() -> bool) -> (bool, bool) {
    // A thread that is being torn down still has it: it needs no destructor.
    SEARCH.set(Search::For(owner));
    let ended = has_ended();
    (ended, SEARCH.replace(Search::None) == Search::Found)
}

/// Answers a search, for the layer whose metrics are known as `owner`: a body that
/// carries the trace calls this when it is asked whether it has ended, since that is
/// what bodies around it pass on.
#[inline]
pub(crate) fn found(owner: usize) {
    if SEARCH.get() == Search::For(owner) {
        SEARCH.set(Search::Found);
    }
}

/// What is known of a request before it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Whether its body has ended.
    pub(crate) ended: bool,
    /// Whether a layer of the same metrics counts it already, which is then to be
    /// [told](tell) the route.
    pub(crate) counted: bool,
}

impl Arrival {
    #[inline]
    pub(crate) fn of<B: Body>(owner: usize, request: &Request<B>) -> Self {
        let (ended, traced) = search(owner, || request.body().is_end_stream());
        let marked = !traced && with_outer(owner, |outer| outer.sees(request)).unwrap_or(false);
        Self {
            ended,
            counted: traced || marked,
        }
    }
}

impl AtWork {
    /// Returns true when this layer has marked a request whose body has no trace.
    #[cold]
    fn sees<B>(&mut self, request: &Request<B>) -> bool {
        self.nested.called = true;
        self.nested.marked && request.extensions().get::<Counted>().is_some()
    }
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
