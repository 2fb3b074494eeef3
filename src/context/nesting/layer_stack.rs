//! Which layers are at work on the calling thread, and what those within them say.
//!
//! Where a request passes two layers of the same metrics, the inner one tells the outer
//! one its route. It can, because the outer one is at work on this thread when it is
//! called.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::context::current_route::{RouteId, replace_current};
use crate::context::route_template::UNMATCHED;

/// So many layers, of any metrics, may be at work within each other; those further in
/// are not listed.
const MAX_DEPTH: usize = 8;

thread_local! {
    // Without a destructor, so that it costs no check, and a thread that is being torn
    // down still has it.
    static LAYER_STACK: LayerStack = const { LayerStack::new() };
    /// The routes that were told, by the place of the layer on the list.
    static REPORTED_ROUTES: RefCell<Vec<(usize, Arc<str>)>> = const { RefCell::new(Vec::new()) };
}

struct LayerStack {
    len: Cell<usize>,
    layers: [Cell<StackEntry>; MAX_DEPTH],
}

#[derive(Debug, Clone, Copy)]
struct StackEntry {
    owner: usize,
    nested: NestingState,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NestingState {
    mark: Mark,
    /// Whether one told a route since the layer was last at work.
    has_reported_route: bool,
    /// Whether the layer knows no route of its own.
    needs_route: bool,
}

/// Whether the request carries a mark, by which a layer within knows it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mark {
    #[default]
    None,
    /// It carries none, and a layer within was called for a request of another body.
    Missing,
    Set,
}

impl NestingState {
    pub(crate) const MARKED: Self = Self {
        mark: Mark::Set,
        ..Self::NONE
    };
    const NONE: Self = Self {
        mark: Mark::None,
        has_reported_route: false,
        needs_route: false,
    };

    /// Notes whether the layer knows no route of its own, and so listens to others.
    #[inline]
    pub(crate) fn with_needs_route(self, is_routeless: bool) -> Self {
        Self {
            needs_route: is_routeless,
            ..self
        }
    }

    /// Returns true when requests had better be marked.
    #[inline]
    pub(crate) fn needs_marks(self) -> bool {
        self.mark == Mark::Missing
    }
}

/// A layer that is at work on the calling thread, until it is dropped.
#[derive(Debug)]
#[must_use = "a layer is at work until this is dropped"]
pub(crate) struct ActiveLayer {
    /// Where it is on the list.
    at: usize,
}

impl ActiveLayer {
    /// Lets the layer whose metrics are known as `owner` be at work.
    #[inline]
    pub(crate) fn enter(owner: usize, nested: NestingState) -> Self {
        LAYER_STACK.with(|list| {
            let at = list.len.get();
            list.len.set(at + 1);
            if let Some(layer) = list.layers.get(at) {
                let nested = NestingState {
                    has_reported_route: false,
                    ..nested
                };
                layer.set(StackEntry { owner, nested });
            }
            Self { at }
        })
    }

    /// Returns what it knows of those within it by now.
    #[inline]
    pub(crate) fn nesting_state(&self) -> Option<NestingState> {
        LAYER_STACK.with(|list| list.layers.get(self.at).map(|layer| layer.get().nested))
    }

    /// Returns the route, if a layer within told it.
    #[inline]
    pub(crate) fn reported_route(&self) -> Option<Arc<str>> {
        self.nesting_state()?
            .has_reported_route
            .then(|| take_reported_route(self.at))?
    }
}

/// Where the code within panicked, too.
impl Drop for ActiveLayer {
    #[inline]
    fn drop(&mut self) {
        // What was told and not asked for, because of the panic, is forgotten.
        drop(self.reported_route());
        LAYER_STACK.with(|list| list.len.set(self.at));
    }
}

/// Returns true when the layer of these metrics that is at work has marked its request,
/// and this one, which arrives without a trace of it, `is_marked`.
pub(crate) fn is_marked_for(owner: usize, is_marked: impl FnOnce() -> bool) -> bool {
    let mark = with_enclosing_layer(owner, |_, outer| {
        if outer.mark == Mark::None {
            outer.mark = Mark::Missing;
        }
        outer.mark
    });
    mark == Some(Mark::Set) && is_marked()
}

/// Tells the layer that counts this request its route, and where that is.
pub(crate) fn report_route(owner: usize, route: Arc<str>, place: RouteId) {
    with_enclosing_layer(owner, |at, outer| {
        let before = take_reported_route(at);
        // A layer further in that sees none does not gainsay one that does.
        let route = match before {
            Some(before) if *route == *UNMATCHED => before,
            _ => {
                if outer.needs_route {
                    replace_current(place);
                }
                route
            }
        };
        let told = REPORTED_ROUTES.try_with(|told| told.borrow_mut().push((at, route)));
        outer.has_reported_route = told.is_ok();
    });
}

fn take_reported_route(at: usize) -> Option<Arc<str>> {
    let take = |told: &RefCell<Vec<(usize, Arc<str>)>>| {
        let mut told = told.borrow_mut();
        let place = told.iter().position(|(layer, _)| *layer == at)?;
        Some(told.swap_remove(place).1)
    };
    REPORTED_ROUTES.try_with(take).ok().flatten()
}

/// Lends the innermost layer of these metrics that is at work, and its place.
#[inline]
fn with_enclosing_layer<T>(
    owner: usize,
    run: impl FnOnce(usize, &mut NestingState) -> T,
) -> Option<T> {
    LAYER_STACK.with(|list| {
        let listed = list.layers.iter().take(list.len.get()).enumerate();
        let is = |(_, layer): &(usize, &Cell<StackEntry>)| layer.get().owner == owner;
        let (at, layer) = listed.rev().find(is)?;
        let mut outer = layer.get();
        let result = run(at, &mut outer.nested);
        layer.set(outer);
        Some(result)
    })
}

impl LayerStack {
    const fn new() -> Self {
        const NO_ONE: StackEntry = StackEntry {
            owner: 0,
            nested: NestingState::NONE,
        };
        Self {
            len: Cell::new(0),
            layers: [const { Cell::new(NO_ONE) }; MAX_DEPTH],
        }
    }
}
