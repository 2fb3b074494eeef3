//! Which layers are at work on the calling thread, and what those within them say.
//!
//! A request may pass two layers that count into the same metrics: one around the
//! whole service, which sees no route, and one inside the router. It is one
//! request, and the outer one counts it. The inner one notices, because the outer
//! one is at work on this thread when it is called, and tells it the route.

use std::cell::RefCell;
use std::sync::Arc;

use http::Extensions;

use crate::context::route::UNMATCHED;

thread_local! {
    static AT_WORK: RefCell<Vec<AtWork>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
struct AtWork {
    owner: usize,
    nested: Nested,
    route: Option<Arc<str>>,
}

/// What an outer layer knows of those within it, for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nested {
    /// Whether the request is marked, so that another request that is made while it
    /// is answered is told from it.
    marked: bool,
    /// Whether an inner layer told its route.
    told: bool,
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
            told: false,
        }
    }
}

/// A layer that is at work on the calling thread, until it is dropped.
#[derive(Debug)]
#[must_use = "a layer is at work until this is dropped"]
pub(crate) struct Working {
    /// Whether it is on the list: a thread that is being torn down has none.
    listed: bool,
}

impl Working {
    /// Lets the layer whose metrics are known as `owner` be at work.
    #[inline]
    pub(crate) fn begin(owner: usize, nested: Nested) -> Self {
        let begun = AT_WORK.try_with(|at_work| {
            at_work.borrow_mut().push(AtWork {
                owner,
                nested,
                route: None,
            });
        });
        Self {
            listed: begun.is_ok(),
        }
    }

    /// Ends it, and returns what it knows now of those within it, and the route if
    /// one of them told it.
    #[inline]
    pub(crate) fn end(mut self) -> Option<(Nested, Option<Arc<str>>)> {
        self.take().map(|ended| (ended.nested, ended.route))
    }

    #[inline]
    fn take(&mut self) -> Option<AtWork> {
        let pop = |at_work: &RefCell<Vec<AtWork>>| at_work.borrow_mut().pop();
        let listed = std::mem::take(&mut self.listed);
        listed.then(|| AT_WORK.try_with(pop).ok()).flatten()?
    }
}

/// Where the code within panicked, too.
impl Drop for Working {
    #[inline]
    fn drop(&mut self) {
        self.take();
    }
}

/// Returns true when a layer of the same metrics counts this request already, which
/// is then to be [told](tell) the route.
#[inline]
pub(crate) fn is_counted(owner: usize, extensions: &Extensions) -> bool {
    let counted = with_outer(owner, |outer| {
        let same = if outer.nested.marked {
            extensions.get::<Counted>().is_some()
        } else {
            !outer.nested.told
        };
        outer.nested.told |= same;
        same
    });
    counted.unwrap_or(false)
}

/// Tells the layer that counts this request its route.
pub(crate) fn tell(owner: usize, route: Arc<str>) {
    with_outer(owner, |outer| {
        // A layer further in that sees none does not gainsay one that does.
        if outer.route.is_none() || *route != *UNMATCHED {
            outer.route = Some(route);
        }
    });
}

fn with_outer<T>(owner: usize, run: impl FnOnce(&mut AtWork) -> T) -> Option<T> {
    let outer = AT_WORK.try_with(|at_work| {
        let mut at_work = at_work.borrow_mut();
        let outer = at_work.iter_mut().rev().find(|outer| outer.owner == owner);
        outer.map(run)
    });
    outer.ok().flatten()
}
