//! Which layers are at work on the calling thread, and what those within them say.
//!
//! A request may pass two layers that count into the same metrics: one around the
//! whole service, which sees no route, and one inside the router. It is one
//! request, and the outer one counts it. The inner one notices, because the outer
//! one is at work on this thread when it is called, and tells it the route.

use std::cell::RefCell;

use http::Extensions;

use crate::context::route::Route;

thread_local! {
    static AT_WORK: RefCell<Vec<AtWork>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
struct AtWork {
    owner: usize,
    nested: Nested,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nested {
    /// Whether the request is marked, so that another request that is made while it
    /// is answered is told from it.
    marked: bool,
    /// The route that an inner layer told, if there was one.
    route: Option<Route>,
}

/// Marks a request as one that a layer counts already.
#[derive(Debug, Clone, Copy)]
struct Counted;

impl Nested {
    /// Begins with a request that a layer is about to count.
    pub(crate) fn of(extensions: &mut Extensions) -> Self {
        // Not where there are no extensions: the mark would take memory of its own.
        // Then the first request within is taken for the same.
        let marked = !extensions.is_empty();
        if marked {
            extensions.insert(Counted);
        }
        Self {
            marked,
            route: None,
        }
    }

    /// Returns the route that an inner layer told.
    pub(crate) fn route(&self) -> Option<&Route> {
        self.route.as_ref()
    }
}

/// Runs code of the service within the layer whose metrics are known as `owner`.
pub(crate) fn within<T>(owner: usize, nested: &mut Nested, run: impl FnOnce() -> T) -> T {
    let begun = AT_WORK.try_with(|at_work| {
        at_work.borrow_mut().push(AtWork {
            owner,
            nested: std::mem::take(nested),
        });
        End(nested)
    });
    // A thread that is being torn down has no list any more.
    let _end = begun.ok();
    run()
}

/// Takes the layer off the list, whether the code within returns or panics.
struct End<'a>(&'a mut Nested);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let ended = AT_WORK.try_with(|at_work| at_work.borrow_mut().pop());
        if let Ok(Some(ended)) = ended {
            *self.0 = ended.nested;
        }
    }
}

/// Returns true when a layer of the same metrics counts this request already, and
/// tells it the route.
pub(crate) fn is_counted(owner: usize, extensions: &Extensions) -> bool {
    let marked = extensions.get::<Counted>().is_some();
    let told = AT_WORK.try_with(|at_work| {
        let mut at_work = at_work.borrow_mut();
        let outer = at_work.iter_mut().rev().find(|outer| outer.owner == owner);
        let same = outer.filter(|outer| {
            let first = !outer.nested.marked && outer.nested.route.is_none();
            first || (outer.nested.marked && marked)
        });
        same.map(|outer| outer.nested.route = Some(Route::of(extensions)))
    });
    matches!(told, Ok(Some(())))
}
