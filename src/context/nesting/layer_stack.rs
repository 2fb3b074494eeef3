//! Which layers are at work on the calling thread, and what those within them say.
//!
//! Where a request passes two layers of the same metrics, the inner one tells the outer
//! one its route. It can, because the outer one is at work on this thread when it is
//! called.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::context::current_route::{RouteId, find};
use crate::context::route::UNMATCHED;

/// So many layers, of any metrics, may be at work within each other; those further in
/// are not listed.
const DEEPEST: usize = 8;

thread_local! {
    // Without a destructor, so that it costs no check, and a thread that is being torn
    // down still has it.
    static AT_WORK: List = const { List::new() };
    /// The routes that were told, by the place of the layer on the list.
    static TOLD: RefCell<Vec<(usize, Arc<str>)>> = const { RefCell::new(Vec::new()) };
}

struct List {
    len: Cell<usize>,
    layers: [Cell<AtWork>; DEEPEST],
}

#[derive(Debug, Clone, Copy)]
struct AtWork {
    owner: usize,
    nested: NestingState,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NestingState {
    mark: Mark,
    /// Whether one told a route since the layer was last at work.
    told: bool,
    /// Whether the layer knows no route of its own.
    is_routeless: bool,
}

/// Whether the request carries a mark, by which a layer within knows it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mark {
    #[default]
    None,
    /// It carries none, and a layer within was called for a request of another body.
    Missed,
    Set,
}

impl NestingState {
    pub(crate) const MARKED: Self = Self {
        mark: Mark::Set,
        ..Self::NONE
    };
    const NONE: Self = Self {
        mark: Mark::None,
        told: false,
        is_routeless: false,
    };

    /// Notes whether the layer knows no route of its own, and so listens to others.
    #[inline]
    pub(crate) fn listening(self, is_routeless: bool) -> Self {
        Self {
            is_routeless,
            ..self
        }
    }

    /// Returns true when requests had better be marked.
    #[inline]
    pub(crate) fn asks_for_marks(self) -> bool {
        self.mark == Mark::Missed
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
    pub(crate) fn begin(owner: usize, nested: NestingState) -> Self {
        AT_WORK.with(|list| {
            let at = list.len.get();
            list.len.set(at + 1);
            if let Some(layer) = list.layers.get(at) {
                let nested = NestingState {
                    told: false,
                    ..nested
                };
                layer.set(AtWork { owner, nested });
            }
            Self { at }
        })
    }

    /// Returns what it knows of those within it by now.
    #[inline]
    pub(crate) fn nested(&self) -> Option<NestingState> {
        AT_WORK.with(|list| list.layers.get(self.at).map(|layer| layer.get().nested))
    }

    /// Returns the route, if a layer within told it.
    #[inline]
    pub(crate) fn route(&self) -> Option<Arc<str>> {
        self.nested()?.told.then(|| take_reported_route(self.at))?
    }
}

/// Where the code within panicked, too.
impl Drop for ActiveLayer {
    #[inline]
    fn drop(&mut self) {
        // What was told and not asked for, because of the panic, is forgotten.
        drop(self.route());
        AT_WORK.with(|list| list.len.set(self.at));
    }
}

/// Returns true when the layer of these metrics that is at work has marked its request,
/// and this one, which arrives without a trace of it, `is_marked`.
pub(crate) fn is_marked_for(owner: usize, is_marked: impl FnOnce() -> bool) -> bool {
    let mark = with_outer(owner, |_, outer| {
        if outer.mark == Mark::None {
            outer.mark = Mark::Missed;
        }
        outer.mark
    });
    mark == Some(Mark::Set) && is_marked()
}

/// Tells the layer that counts this request its route, and where that is.
pub(crate) fn report_route(owner: usize, route: Arc<str>, place: RouteId) {
    with_outer(owner, |at, outer| {
        let before = take_reported_route(at);
        // A layer further in that sees none does not gainsay one that does.
        let route = match before {
            Some(before) if *route == *UNMATCHED => before,
            _ => {
                if outer.is_routeless {
                    find(place);
                }
                route
            }
        };
        let told = TOLD.try_with(|told| told.borrow_mut().push((at, route)));
        outer.told = told.is_ok();
    });
}

fn take_reported_route(at: usize) -> Option<Arc<str>> {
    let take = |told: &RefCell<Vec<(usize, Arc<str>)>>| {
        let mut told = told.borrow_mut();
        let place = told.iter().position(|(layer, _)| *layer == at)?;
        Some(told.swap_remove(place).1)
    };
    TOLD.try_with(take).ok().flatten()
}

/// Lends the innermost layer of these metrics that is at work, and its place.
#[inline]
fn with_outer<T>(owner: usize, run: impl FnOnce(usize, &mut NestingState) -> T) -> Option<T> {
    AT_WORK.with(|list| {
        let listed = list.layers.iter().take(list.len.get()).enumerate();
        let is = |(_, layer): &(usize, &Cell<AtWork>)| layer.get().owner == owner;
        let (at, layer) = listed.rev().find(is)?;
        let mut outer = layer.get();
        let result = run(at, &mut outer.nested);
        layer.set(outer);
        Some(result)
    })
}

impl List {
    const fn new() -> Self {
        const NO_ONE: AtWork = AtWork {
            owner: 0,
            nested: NestingState::NONE,
        };
        Self {
            len: Cell::new(0),
            layers: [const { Cell::new(NO_ONE) }; DEEPEST],
        }
    }
}
