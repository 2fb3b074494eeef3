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
    static MARKER_SEARCH: Cell<MarkerSearch> = const { Cell::new(MarkerSearch::None) };
}

/// A search for a layer's trace in a request's body.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MarkerSearch {
    None,
    /// For the trace of the layer whose metrics are known so.
    For(usize),
    Found,
}

/// Returns whether the body has ended, and whether a layer of the same metrics has
/// left its trace in it.
#[inline]
fn find_marker(owner: usize, has_ended: impl FnOnce() -> bool) -> (bool, bool) {
    MARKER_SEARCH.set(MarkerSearch::For(owner));
    let ended = has_ended();
    (
        ended,
        MARKER_SEARCH.replace(MarkerSearch::None) == MarkerSearch::Found,
    )
}

/// Answers a search, for the layer whose metrics are known as `owner`: a body that
/// carries the trace calls this when it is asked whether it has ended, since that is
/// what bodies around it pass on.
#[inline]
pub(crate) fn reveal_marker(owner: usize) {
    if MARKER_SEARCH.get() == MarkerSearch::For(owner) {
        MARKER_SEARCH.set(MarkerSearch::Found);
    }
}

/// What is known of a request before it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// Whether its body has ended.
    pub(crate) is_body_empty: bool,
    /// Whether a layer of the same metrics counts it already, which is then to be
    /// [told](tell) the route.
    pub(crate) is_counted: bool,
}

impl Incoming {
    #[inline]
    pub(crate) fn inspect<B: Body>(owner: usize, request: &Request<B>) -> Self {
        let (is_body_empty, traced) = find_marker(owner, || request.body().is_end_stream());
        let is_marked = || request.extensions().get::<CountedMark>().is_some();
        Self {
            is_body_empty,
            is_counted: traced || is_marked_for(owner, is_marked),
        }
    }
}

/// Marks a request as one that a layer counts already.
#[derive(Debug, Clone, Copy)]
struct CountedMark;

/// Marks a request that a layer begins to count.
#[cold]
pub(crate) fn mark_counted(extensions: &mut Extensions) -> NestingState {
    extensions.insert(CountedMark);
    NestingState::MARKED
}
