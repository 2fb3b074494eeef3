//! Which request the calling thread is working on, for those who ask for its route.
//!
//! A layer leaves here what costs it nothing: the place of the request's route among its
//! own. Whoever asks for the route, which is seldom, finds the layer's routes by that.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, PoisonError, RwLock, Weak};

thread_local! {
    // It needs no destructor, so a thread that is being torn down still has it.
    static CURRENT: Cell<Current> = const { Cell::new(Current::Nothing) };
    /// The routes that were carried here, those of inner futures last.
    static CARRIED: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// The routes of each layer, by their address. It is written where a layer is made.
static LAYERS: RwLock<Vec<(usize, Weak<dyn Routes>)>> = RwLock::new(Vec::new());

/// The routes of a layer.
pub(crate) trait Routes: Send + Sync {
    /// Returns the route at a position, and whether it stands for that none is known.
    fn route(&self, position: usize) -> Option<(Arc<str>, bool)>;
}

/// Where a route is: whose it is, and its position there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) layer: usize,
    pub(crate) position: usize,
}

/// What the calling thread is working on.
#[derive(Debug, Clone, Copy)]
enum Current {
    Nothing,
    /// A request that a layer counts, and where a layer within it has found its route.
    Request(Place, Option<Place>),
    /// Something that was carried here with a route, or with none.
    Carried(Option<usize>),
}

/// Lets a layer's routes be found by their address.
pub(crate) fn announce<R: Routes + 'static>(routes: &Arc<R>) {
    let mut layers = LAYERS.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|(_, routes)| routes.strong_count() > 0);
    let routes: Arc<dyn Routes> = Arc::<R>::clone(routes);
    layers.push((address(&*routes), Arc::downgrade(&routes)));
}

/// Returns the address by which a layer's routes are found.
#[inline]
pub(crate) fn address<R: Routes + ?Sized>(routes: &R) -> usize {
    std::ptr::from_ref(routes).addr()
}

/// The work on a request, until it is dropped.
#[derive(Debug)]
#[must_use = "the work ends when this is dropped"]
pub(crate) struct Within {
    before: Current,
}

impl Within {
    /// Begins to work on the request whose route is there.
    #[inline]
    pub(crate) fn request(place: Place) -> Self {
        Self {
            before: CURRENT.replace(Current::Request(place, None)),
        }
    }

    /// Begins to work on something that was carried here with this route.
    pub(super) fn carried(route: Option<&Arc<str>>) -> Self {
        let position = route.and_then(|route| {
            let push = |carried: &RefCell<Vec<_>>| {
                let mut carried = carried.borrow_mut();
                carried.push(Arc::clone(route));
                carried.len() - 1
            };
            CARRIED.try_with(push).ok()
        });
        Self {
            before: CURRENT.replace(Current::Carried(position)),
        }
    }
}

/// Where the work panicked, too.
impl Drop for Within {
    #[inline]
    fn drop(&mut self) {
        if let Current::Carried(Some(position)) = CURRENT.replace(self.before) {
            let _ = CARRIED.try_with(|carried| carried.borrow_mut().truncate(position));
        }
    }
}

/// Notes where a layer within the one that counts the request has found its route.
pub(crate) fn find(place: Place) {
    if let Current::Request(outer, _) = CURRENT.get() {
        CURRENT.set(Current::Request(outer, Some(place)));
    }
}

/// Returns the route of the request that the calling thread is working on.
pub(super) fn route() -> Option<Arc<str>> {
    match CURRENT.get() {
        Current::Nothing | Current::Carried(None) => None,
        Current::Request(outer, inner) => {
            let layers = LAYERS.read().unwrap_or_else(PoisonError::into_inner);
            let found = |place: Place| {
                let (_, routes) = layers.iter().rev().find(|(own, _)| *own == place.layer)?;
                routes.upgrade()?.route(place.position)
            };
            let (route, is_makeshift) = found(outer)?;
            let better = inner.filter(|_| is_makeshift).and_then(found);
            Some(better.map_or(route, |(route, _)| route))
        }
        Current::Carried(Some(position)) => CARRIED
            .try_with(|carried| carried.borrow().get(position).cloned())
            .ok()?,
    }
}
