//! The route of the request that the calling thread handles.
//!
//! A layer stores only a [`RouteId`] per poll, which costs almost nothing. Code that reads the
//! route, which is rare, looks the layer's [`RouteTable`] up by that id.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, PoisonError, RwLock, Weak};

thread_local! {
    // Without a destructor, so that it also works while the thread is being torn down.
    static CURRENT: Cell<RouteId> = const { Cell::new(RouteId::NONE) };
    /// The routes that were carried to this thread, those of inner futures last.
    static CARRIED: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// The route tables of all layers, by their address. Written when a layer is made.
static ROUTE_TABLES: RwLock<Vec<(usize, Weak<dyn RouteTable>)>> = RwLock::new(Vec::new());

/// The routes of a layer.
pub(crate) trait RouteTable: Send + Sync {
    /// Returns the route at a position.
    fn route(&self, position: usize) -> Option<Arc<str>>;
}

/// Identifies a route: the address of a layer's route table, or [`CARRIED`](Self::CARRIED),
/// and the position of the route there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteId {
    table: usize,
    position: usize,
}

impl RouteId {
    /// No table is at these addresses.
    const NO_TABLE: usize = 0;
    const CARRIED: usize = 1;

    const NONE: Self = Self {
        table: Self::NO_TABLE,
        position: 0,
    };

    /// Returns the id of the route at a position of a table.
    #[inline]
    pub(crate) fn new<R: RouteTable>(table: &R, position: usize) -> Self {
        Self {
            table: address(table),
            position,
        }
    }
}

/// Makes a layer's route table available to [`current_route`].
pub(crate) fn register_routes<R: RouteTable + 'static>(table: &Arc<R>) {
    let mut tables = ROUTE_TABLES.write().unwrap_or_else(PoisonError::into_inner);
    tables.retain(|(_, table)| table.strong_count() > 0);
    let shared: Arc<dyn RouteTable> = Arc::<R>::clone(table);
    tables.push((address(&**table), Arc::downgrade(&shared)));
}

#[inline]
fn address<R: RouteTable>(table: &R) -> usize {
    std::ptr::from_ref(table).addr()
}

/// Makes a route the current one of this thread, until the guard is dropped.
#[derive(Debug)]
#[must_use = "the route is the current one until this is dropped"]
pub(crate) struct CurrentRouteGuard {
    previous: RouteId,
}

impl CurrentRouteGuard {
    #[inline]
    pub(crate) fn enter(route: RouteId) -> Self {
        Self {
            previous: CURRENT.replace(route),
        }
    }

    /// Keeps the current route.
    #[inline]
    pub(crate) fn keep() -> Self {
        Self {
            previous: CURRENT.get(),
        }
    }

    /// Makes a route the current one, unless there is one.
    #[inline]
    pub(crate) fn enter_if_none(route: RouteId) -> Self {
        let previous = CURRENT.get();
        if previous.table == RouteId::NO_TABLE {
            CURRENT.set(route);
        }
        Self { previous }
    }
}

/// Also runs if the code under the guard panics.
impl Drop for CurrentRouteGuard {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.previous);
    }
}

/// Runs a closure with a carried route, or without a route, as the current one.
pub(super) fn with_route<T>(route: Option<&Arc<str>>, run: impl FnOnce() -> T) -> T {
    let _guard = CarriedRouteGuard::enter(route);
    run()
}

#[derive(Debug)]
struct CarriedRouteGuard {
    _current: CurrentRouteGuard,
    position: Option<usize>,
}

impl CarriedRouteGuard {
    fn enter(route: Option<&Arc<str>>) -> Self {
        let push = |route: &Arc<str>| {
            let push = |carried: &RefCell<Vec<_>>| {
                let mut carried = carried.borrow_mut();
                carried.push(Arc::clone(route));
                carried.len() - 1
            };
            CARRIED.try_with(push).ok()
        };
        let position = route.and_then(push);
        let id = position.map_or(RouteId::NONE, |position| RouteId {
            table: RouteId::CARRIED,
            position,
        });
        Self {
            _current: CurrentRouteGuard::enter(id),
            position,
        }
    }
}

/// Also runs if the closure panics.
impl Drop for CarriedRouteGuard {
    fn drop(&mut self) {
        if let Some(position) = self.position {
            let _ = CARRIED.try_with(|carried| carried.borrow_mut().truncate(position));
        }
    }
}

/// Returns the route of the request that the calling thread handles.
pub(super) fn current_route() -> Option<Arc<str>> {
    let RouteId { table, position } = CURRENT.get();
    match table {
        RouteId::NO_TABLE => None,
        RouteId::CARRIED => CARRIED
            .try_with(|carried| carried.borrow().get(position).cloned())
            .ok()?,
        address => {
            let tables = ROUTE_TABLES.read().unwrap_or_else(PoisonError::into_inner);
            let (_, table) = tables.iter().rev().find(|(key, _)| *key == address)?;
            table.upgrade()?.route(position)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with one route.
    struct SingleRoute(Arc<str>);

    impl RouteTable for SingleRoute {
        fn route(&self, position: usize) -> Option<Arc<str>> {
            (position == 0).then(|| Arc::clone(&self.0))
        }
    }

    fn registered(route: &str) -> Arc<SingleRoute> {
        let table = Arc::new(SingleRoute(route.into()));
        register_routes(&table);
        table
    }

    #[test]
    fn a_dropped_table_leaves_no_entry_and_no_route() {
        let dropped = registered("/dropped");
        let id = RouteId::new(&*dropped, 0);
        drop(dropped);
        let _guard = CurrentRouteGuard::enter(id);
        assert_eq!(current_route(), None);
        let _next = registered("/next");
        let tables = ROUTE_TABLES.read().unwrap();
        assert!(
            tables
                .iter()
                .all(|(address, table)| *address != id.table || table.strong_count() > 0)
        );
    }

    #[test]
    fn a_carried_route_is_removed_after_the_closure() {
        let [one, two]: [Arc<str>; 2] = ["/one", "/two"].map(Arc::from);
        with_route(Some(&one), || {
            for _ in 0..3 {
                with_route(Some(&two), || {
                    assert_eq!(current_route(), Some(Arc::clone(&two)));
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
