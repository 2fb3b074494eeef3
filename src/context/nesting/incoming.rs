//! Whether an outer layer already counts an incoming request.

use std::cell::Cell;

use http::{Extensions, Request};
use http_body::Body;

use crate::context::nesting::active_layers::{NestingState, is_marked_for};

thread_local! {
    // Without a destructor, so that it also works while the thread is being torn down.
    static MARKER_SEARCH: Cell<MarkerSearch> = const { Cell::new(MarkerSearch::Idle) };
}

/// A search for a marker in a request's body.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MarkerSearch {
    Idle,
    /// For the marker of the metrics with this id.
    For(usize),
    Found,
}

/// Calls `is_end_stream` of a body. Returns its result, and whether the body holds the
/// marker of these metrics.
#[inline]
fn find_marker(metrics_id: usize, is_end_stream: impl FnOnce() -> bool) -> (bool, bool) {
    MARKER_SEARCH.set(MarkerSearch::For(metrics_id));
    let is_empty = is_end_stream();
    let search = MARKER_SEARCH.replace(MarkerSearch::Idle);
    (is_empty, search == MarkerSearch::Found)
}

/// Answers a search for the marker of these metrics, if one is going on.
///
/// A body that holds the marker calls this in `is_end_stream`, because bodies that wrap it
/// pass that call on.
#[inline]
pub(crate) fn reveal_marker(metrics_id: usize) {
    if MARKER_SEARCH.get() == MarkerSearch::For(metrics_id) {
        MARKER_SEARCH.set(MarkerSearch::Found);
    }
}

/// What a layer finds out about a request before it counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// Whether the body is at its end before anything was read.
    pub(crate) is_body_empty: bool,
    /// Whether an outer layer of the same metrics counts the request. It needs the
    /// [route](crate::context::report_route).
    pub(crate) is_counted: bool,
}

impl Incoming {
    #[inline]
    pub(crate) fn inspect<B: Body>(metrics_id: usize, request: &Request<B>) -> Self {
        let (is_body_empty, has_marker) =
            find_marker(metrics_id, || request.body().is_end_stream());
        let is_marked = || request.extensions().get::<CountedMark>().is_some();
        Self {
            is_body_empty,
            is_counted: has_marker || is_marked_for(metrics_id, is_marked),
        }
    }
}

/// An extension of requests that a layer already counts.
#[derive(Debug, Clone, Copy)]
struct CountedMark;

/// Marks the extensions of a request that the calling layer counts.
#[cold]
pub(crate) fn mark_counted(extensions: &mut Extensions) -> NestingState {
    extensions.insert(CountedMark);
    NestingState::MARKED
}
