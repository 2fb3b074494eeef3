//! Whether a request that arrives at a layer is counted already.
//!
//! A request may pass two layers that count into the same metrics: one around the
//! whole service, which sees no route, and one inside the router. It is one
//! request, and the outer one counts it.
//!
//! It leaves a [trace](found) in the request's body, by which the inner one knows the
//! request, on any thread; and tells it from one that a handler makes, in this process,
//! while it answers another. If something between the two has put another body in its
//! place, there is a mark among the extensions besides, from when that happens on: most
//! applications have one layer, and no need of it.

use std::cell::Cell;

use http::{Extensions, Request};
use http_body::Body;

use crate::context::nesting::layer_stack::{NestingState, is_marked_for};

thread_local! {
    // It needs no destructor, so a thread that is being torn down still has it.
    static SEARCH: Cell<Search> = const { Cell::new(Search::None) };
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
    SEARCH.set(Search::For(owner));
    let ended = has_ended();
    (ended, SEARCH.replace(Search::None) == Search::Found)
}

/// Answers a search, for the layer whose metrics are known as `owner`: a body that
/// carries the trace calls this when it is asked whether it has ended, since that is
/// what bodies around it pass on.
#[inline]
pub(crate) fn reveal_marker(owner: usize) {
    if SEARCH.get() == Search::For(owner) {
        SEARCH.set(Search::Found);
    }
}

/// What is known of a request before it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// Whether its body has ended.
    pub(crate) ended: bool,
    /// Whether a layer of the same metrics counts it already, which is then to be
    /// [told](tell) the route.
    pub(crate) counted: bool,
}

impl Incoming {
    #[inline]
    pub(crate) fn of<B: Body>(owner: usize, request: &Request<B>) -> Self {
        let (ended, traced) = search(owner, || request.body().is_end_stream());
        let is_marked = || request.extensions().get::<Counted>().is_some();
        Self {
            ended,
            counted: traced || is_marked_for(owner, is_marked),
        }
    }
}

/// Marks a request as one that a layer counts already.
#[derive(Debug, Clone, Copy)]
struct Counted;

/// Marks a request that a layer begins to count.
#[cold]
pub(crate) fn mark(extensions: &mut Extensions) -> NestingState {
    extensions.insert(Counted);
    NestingState::MARKED
}
