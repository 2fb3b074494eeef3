//! The layers that are active on the calling thread, and the routes that inner layers report
//! to them.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::context::current_route::{RouteId, replace_current};
use crate::context::route_template::UNMATCHED;

/// Number of nested layers, of any metrics, that the stack holds. Deeper ones are left out.
const MAX_DEPTH: usize = 8;

thread_local! {
    // Without a destructor: that saves a check, and it also works while the thread is being
    // torn down.
    static LAYER_STACK: LayerStack = const { LayerStack::new() };
    /// The routes that were reported, each with the depth of the layer that counts the request.
    static REPORTED_ROUTES: RefCell<Vec<(usize, Arc<str>)>> = const { RefCell::new(Vec::new()) };
}

struct LayerStack {
    depth: Cell<usize>,
    entries: [Cell<StackEntry>; MAX_DEPTH],
}

#[derive(Debug, Clone, Copy)]
struct StackEntry {
    metrics_id: usize,
    state: NestingState,
}

/// What inner layers that record into the same metrics have reported for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NestingState {
    mark: ExtensionMark,
    /// Whether an inner layer reported a route since the layer last became active.
    has_reported_route: bool,
    /// Whether the layer found no route itself.
    needs_route: bool,
}

/// Whether the request's extensions hold a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ExtensionMark {
    #[default]
    Unset,
    /// There is none, but an inner layer got a request whose body holds no marker.
    Missing,
    Set,
}

impl NestingState {
    pub(crate) const MARKED: Self = Self {
        mark: ExtensionMark::Set,
        ..Self::NONE
    };
    const NONE: Self = Self {
        mark: ExtensionMark::Unset,
        has_reported_route: false,
        needs_route: false,
    };

    /// Sets whether the layer found no route itself, so that it takes a reported one.
    #[inline]
    pub(crate) fn with_needs_route(self, needs_route: bool) -> Self {
        Self {
            needs_route,
            ..self
        }
    }

    /// Returns true if further requests should be marked in their extensions.
    #[inline]
    pub(crate) fn needs_marks(self) -> bool {
        self.mark == ExtensionMark::Missing
    }
}

/// An entry of the calling thread's stack: the layer is active until this is dropped.
#[derive(Debug)]
#[must_use = "a layer is active until this is dropped"]
pub(crate) struct ActiveLayer {
    depth: usize,
}

impl ActiveLayer {
    /// Pushes the layer of these metrics onto the stack.
    #[inline]
    pub(crate) fn enter(metrics_id: usize, state: NestingState) -> Self {
        LAYER_STACK.with(|stack| {
            let depth = stack.depth.get();
            stack.depth.set(depth + 1);
            if let Some(entry) = stack.entries.get(depth) {
                let state = NestingState {
                    has_reported_route: false,
                    ..state
                };
                entry.set(StackEntry { metrics_id, state });
            }
            Self { depth }
        })
    }

    /// Returns what is known about inner layers by now.
    #[inline]
    pub(crate) fn nesting_state(&self) -> Option<NestingState> {
        LAYER_STACK.with(|stack| {
            let entry = stack.entries.get(self.depth);
            entry.map(|entry| entry.get().state)
        })
    }

    /// Takes the route that an inner layer reported, if any.
    #[inline]
    pub(crate) fn take_reported_route(&self) -> Option<Arc<str>> {
        let state = self.nesting_state()?;
        state
            .has_reported_route
            .then(|| take_reported(self.depth))?
    }
}

/// Also runs if the code inside panics.
impl Drop for ActiveLayer {
    #[inline]
    fn drop(&mut self) {
        // After a panic, no layer has taken the reported route.
        drop(self.take_reported_route());
        LAYER_STACK.with(|stack| stack.depth.set(self.depth));
    }
}

/// Returns true if an active layer of these metrics marks its requests, and the incoming
/// request, whose body holds no marker, `is_marked`.
pub(crate) fn is_marked_for(metrics_id: usize, is_marked: impl FnOnce() -> bool) -> bool {
    let mark = with_active_layer(metrics_id, |_, state| {
        if state.mark == ExtensionMark::Unset {
            state.mark = ExtensionMark::Missing;
        }
        state.mark
    });
    mark == Some(ExtensionMark::Set) && is_marked()
}

/// Reports the route of a request to the outer layer that counts it.
pub(crate) fn report_route(metrics_id: usize, route: Arc<str>, id: RouteId) {
    with_active_layer(metrics_id, |depth, state| {
        let route = match take_reported(depth) {
            // An inner layer without a route must not overwrite one already reported.
            Some(reported) if *route == *UNMATCHED => reported,
            _ => {
                if state.needs_route {
                    replace_current(id);
                }
                route
            }
        };
        let push = |reported: &RefCell<Vec<_>>| reported.borrow_mut().push((depth, route));
        state.has_reported_route = REPORTED_ROUTES.try_with(push).is_ok();
    });
}

fn take_reported(depth: usize) -> Option<Arc<str>> {
    let take = |reported: &RefCell<Vec<(usize, Arc<str>)>>| {
        let mut reported = reported.borrow_mut();
        let index = reported.iter().position(|(layer, _)| *layer == depth)?;
        Some(reported.swap_remove(index).1)
    };
    REPORTED_ROUTES.try_with(take).ok().flatten()
}

/// Lends the depth and the state of the innermost active layer of these metrics.
#[inline]
fn with_active_layer<T>(
    metrics_id: usize,
    run: impl FnOnce(usize, &mut NestingState) -> T,
) -> Option<T> {
    LAYER_STACK.with(|stack| {
        let active = stack.entries.iter().take(stack.depth.get()).enumerate();
        let (depth, cell) = active
            .rev()
            .find(|(_, cell)| cell.get().metrics_id == metrics_id)?;
        let mut entry = cell.get();
        let result = run(depth, &mut entry.state);
        cell.set(entry);
        Some(result)
    })
}

impl LayerStack {
    const fn new() -> Self {
        const EMPTY: StackEntry = StackEntry {
            metrics_id: 0,
            state: NestingState::NONE,
        };
        Self {
            depth: Cell::new(0),
            entries: [const { Cell::new(EMPTY) }; MAX_DEPTH],
        }
    }
}
