//! Which request the calling thread is working on, for those who ask for its route.
//!
//! A layer leaves here what costs it next to nothing: the place of the request's route among its
//! own. Whoever asks for the route, which is seldom, finds the layer's routes by that.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, PoisonError, RwLock, Weak};

thread_local! {
    // It needs no destructor, so a thread that is being torn down still has it.
    static CURRENT: Cell<RouteId> = const { Cell::new(RouteId::NONE) };
    /// The routes that were carried here, those of inner futures last.
    static CARRIED: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// The routes of each layer, by their address. It is written where a layer is made.
static ROUTE_TABLES: RwLock<Vec<(usize, Weak<dyn RouteTable>)>> = RwLock::new(Vec::new());

/// The routes of a layer.
pub(crate) trait RouteTable: Send + Sync {
    /// Returns the route at a position.
    fn route(&self, position: usize) -> Option<Arc<str>>;
}

/// Where a route is: in the layer at this address, or among those that were carried here,
/// and its position there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteId {
    layer: usize,
    position: usize,
}

impl RouteId {
    /// At these addresses there is no layer.
    const NOWHERE: usize = 0;
    const CARRIED: usize = 1;

    const NONE: Self = Self {
        layer: Self::NOWHERE,
        position: 0,
    };

    /// Returns the place of a layer's route at a position.
    #[inline]
    pub(crate) fn new<R: RouteTable>(routes: &R, position: usize) -> Self {
        Self {
            layer: address(routes),
            position,
        }
    }
}

/// Lets a layer's routes be found by their address.
pub(crate) fn register_routes<R: RouteTable + 'static>(routes: &Arc<R>) {
    let mut layers = ROUTE_TABLES.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|(_, routes)| routes.strong_count() > 0);
    let known: Arc<dyn RouteTable> = Arc::<R>::clone(routes);
    layers.push((address(&**routes), Arc::downgrade(&known)));
}

#[inline]
fn address<R: RouteTable>(routes: &R) -> usize {
    std::ptr::from_ref(routes).addr()
}

/// The work on a request, until it is dropped.
#[derive(Debug)]
#[must_use = "the work ends when this is dropped"]
pub(crate) struct CurrentRouteGuard {
    before: RouteId,
}

impl CurrentRouteGuard {
    /// Begins to work on the request whose route is there.
    #[inline]
    pub(crate) fn enter(place: RouteId) -> Self {
        Self {
            before: CURRENT.replace(place),
        }
    }
}

/// Where the work panicked, too.
impl Drop for CurrentRouteGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Lets the work that has begun be one on a request whose route is there instead, as a layer
/// within has found.
pub(super) fn replace_current(place: RouteId) {
    CURRENT.set(place);
}

/// Runs something with a route that was carried here, or with none.
pub(super) fn with_route<T>(route: Option<&Arc<str>>, run: impl FnOnce() -> T) -> T {
    let _carried = CarriedRouteGuard::begin(route);
    run()
}

#[derive(Debug)]
struct CarriedRouteGuard {
    _within: CurrentRouteGuard,
    position: Option<usize>,
}

impl CarriedRouteGuard {
    fn begin(route: Option<&Arc<str>>) -> Self {
        let push = |route: &Arc<str>| {
            let push = |carried: &RefCell<Vec<_>>| {
                let mut carried = carried.borrow_mut();
                carried.push(Arc::clone(route));
                carried.len() - 1
            };
            CARRIED.try_with(push).ok()
        };
        let position = route.and_then(push);
        let place = position.map_or(RouteId::NONE, |position| RouteId {
            layer: RouteId::CARRIED,
            position,
        });
        Self {
            _within: CurrentRouteGuard::enter(place),
            position,
        }
    }
}

/// Where what ran panicked, too.
impl Drop for CarriedRouteGuard {
    fn drop(&mut self) {
        if let Some(position) = self.position {
            let _ = CARRIED.try_with(|carried| carried.borrow_mut().truncate(position));
        }
    }
}

/// Returns the route of the request that the calling thread is working on.
pub(super) fn current_route() -> Option<Arc<str>> {
    let RouteId { layer, position } = CURRENT.get();
    match layer {
        RouteId::NOWHERE => None,
        RouteId::CARRIED => CARRIED
            .try_with(|carried| carried.borrow().get(position).cloned())
            .ok()?,
        layer => {
            let layers = ROUTE_TABLES.read().unwrap_or_else(PoisonError::into_inner);
            let (_, routes) = layers.iter().rev().find(|(own, _)| *own == layer)?;
            routes.upgrade()?.route(position)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer's only route.
    struct Only(Arc<str>);

    impl RouteTable for Only {
        fn route(&self, position: usize) -> Option<Arc<str>> {
            (position == 0).then(|| Arc::clone(&self.0))
        }
    }

    fn layer(route: &str) -> Arc<Only> {
        let layer = Arc::new(Only(route.into()));
        register_routes(&layer);
        layer
    }

    #[test]
    fn a_layer_that_is_gone_leaves_no_entry_and_no_route() {
        let gone = layer("/gone");
        let place = RouteId::new(&*gone, 0);
        drop(gone);
        let _within = CurrentRouteGuard::enter(place);
        assert_eq!(current_route(), None);
        let _next = layer("/next");
        let layers = ROUTE_TABLES.read().unwrap();
        assert!(
            layers
                .iter()
                .all(|(own, routes)| *own != place.layer || routes.strong_count() > 0)
        );
    }

    #[test]
    fn what_was_carried_here_is_gone_when_it_has_run() {
        let [one, two]: [Arc<str>; 2] = ["/one", "/two"].map(Arc::from);
        with_route(Some(&one), || {
            for _ in 0..3 {
                with_route(Some(&two), || {
                    assert_eq!(current_route(), Some(Arc::clone(&two)))
                });
                assert_eq!(current_route(), Some(Arc::clone(&one)));
                with_route(None, || assert_eq!(current_route(), None));
            }
            assert_eq!(CARRIED.with_borrow(Vec::len), 1);
        });
        assert_eq!(current_route(), None);
        assert_eq!(CARRIED.with_borrow(Vec::len), 0);
        assert_eq!(Arc::strong_count(&one), 1);
    }
}
