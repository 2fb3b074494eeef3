//! How nested layers count a request once.
//!
//! A request may pass two layers that record into the same metrics: one around the whole
//! service, and one inside the router. The outer one counts it. The inner one may know its
//! route, which the outer one cannot see.
//!
//! The layer that counts a request leaves a card in the request's extensions
//! ([`leave_card`]). A layer further in finds the card of its own metrics there, and counts
//! nothing. If the outer layer knows no route, it also leaves a [`RouteSlot`]. The inner layer
//! writes its route there ([`find_slot`]), and the outer one reads the slot after each call and
//! poll.
//!
//! The extensions travel with the request: to other tasks, through buffers, and with clones
//! of the request. So this also holds:
//!
//! - A request that lost its extensions between the two layers is counted twice.
//! - A new request that gets the extensions of another one is not counted.
//!
//! # Cost
//!
//! A card is a type without a size, one per [`MetricsId`], so it needs no allocation beside the
//! map of the extensions, which axum's router needs anyway. A layer looks into the map once, in
//! about 110 instructions. Only metrics with an id past the first four, and layers that know
//! no route, insert a [`SlotCard`], which is allocated.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::Extensions;

use crate::context::route_template::RouteKind;

/// The metrics in use, by id: the address that identifies them, and whether they still exist.
/// Written when a layer registers its metrics.
static METRICS: Mutex<Vec<(usize, Weak<()>)>> = Mutex::new(Vec::new());

/// The id of the metrics that layers record into. It is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct MetricsId {
    index: usize,
    _in_use: Arc<()>,
}

impl MetricsId {
    /// Returns the id of the metrics at an address.
    pub(crate) fn for_address(address: usize) -> Self {
        let mut metrics = METRICS.lock().unwrap_or_else(PoisonError::into_inner);
        let used = metrics
            .iter()
            .enumerate()
            .find_map(|(index, (key, in_use))| {
                let in_use = in_use.upgrade().filter(|_| *key == address)?;
                Some((index, in_use))
            });
        let (index, in_use) = used.unwrap_or_else(|| {
            let in_use = Arc::default();
            let entry = (address, Arc::downgrade(&in_use));
            let free = metrics
                .iter()
                .position(|(_, used)| used.strong_count() == 0);
            let index = free.unwrap_or(metrics.len());
            match metrics.get_mut(index) {
                Some(free) => *free = entry,
                None => metrics.push(entry),
            }
            (index, in_use)
        });
        Self {
            index,
            _in_use: in_use,
        }
    }
}

/// A card of the metrics with this id. It has no size.
#[derive(Debug, Clone, Copy)]
struct Card<const ID: usize>;

/// A card that has a slot, or whose metrics have an id without a [`Card`].
#[derive(Debug, Clone)]
struct SlotCard {
    id: usize,
    slot: Option<Arc<RouteSlot>>,
    /// The card of a layer of other metrics further out.
    outer: Option<Arc<SlotCard>>,
}

/// Where inner layers write the route of a request, because the layer that counts it knows
/// none.
///
/// The innermost layer writes last, so its route wins, unless one further out knew a better
/// kind of route. Once the outer layer has read a name, the slot is closed: a request that a
/// handler repeats for another route does not change it.
#[derive(Debug, Default)]
pub(crate) struct RouteSlot(Mutex<SlotState>);

#[derive(Debug, Default)]
struct SlotState {
    route: Option<(Arc<str>, RouteKind)>,
    is_closed: bool,
}

impl RouteSlot {
    /// Writes the route that a layer knows. Returns false if the outer layer will not use it.
    pub(crate) fn write(&self, route: &Arc<str>, kind: RouteKind) -> bool {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_best = slot.route.as_ref().is_none_or(|(_, best)| *best <= kind);
        let is_used = is_best && !slot.is_closed && kind > RouteKind::Unmatched;
        if is_used {
            slot.route = Some((Arc::clone(route), kind));
        }
        is_used
    }

    /// Returns the route that was written, if any.
    pub(crate) fn read(&self) -> Option<(Arc<str>, RouteKind)> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let route = slot.route.clone();
        slot.is_closed = matches!(route, Some((_, RouteKind::Named)));
        route
    }
}

/// Leaves a card for inner layers of the same metrics. Returns false if there is one already,
/// because an outer layer of these metrics counts the request.
#[inline]
pub(crate) fn leave_card(extensions: &mut Extensions, id: &MetricsId) -> bool {
    match id.index {
        0 => insert_if_missing(extensions, Card::<0>),
        1 => insert_if_missing(extensions, Card::<1>),
        2 => insert_if_missing(extensions, Card::<2>),
        3 => insert_if_missing(extensions, Card::<3>),
        index => leave_slot_card(extensions, index),
    }
}

/// Returns true if an outer layer of the same metrics has left a card.
pub(crate) fn has_card(extensions: &Extensions, id: &MetricsId) -> bool {
    match id.index {
        0 => extensions.get::<Card<0>>().is_some(),
        1 => extensions.get::<Card<1>>().is_some(),
        2 => extensions.get::<Card<2>>().is_some(),
        3 => extensions.get::<Card<3>>().is_some(),
        index => find_slot_card(extensions, index).is_some(),
    }
}

/// Leaves a slot for the route, because the layer that has left a card knows none.
pub(crate) fn leave_slot(extensions: &mut Extensions, id: &MetricsId) -> Arc<RouteSlot> {
    let slot = Arc::default();
    insert_slot_card(extensions, id.index, Some(Arc::clone(&slot)));
    slot
}

/// Returns the slot of the outer layer of the same metrics, if it needs a route.
pub(crate) fn find_slot<'a>(extensions: &'a Extensions, id: &MetricsId) -> Option<&'a RouteSlot> {
    find_slot_card(extensions, id.index)?.slot.as_deref()
}

/// Looks into the map only once.
#[inline]
fn insert_if_missing<C: Clone + Send + Sync + 'static>(
    extensions: &mut Extensions,
    card: C,
) -> bool {
    let mut is_missing = false;
    extensions.get_or_insert_with(|| {
        is_missing = true;
        card
    });
    is_missing
}

#[cold]
fn leave_slot_card(extensions: &mut Extensions, id: usize) -> bool {
    let is_missing = find_slot_card(extensions, id).is_none();
    if is_missing {
        insert_slot_card(extensions, id, None);
    }
    is_missing
}

fn insert_slot_card(extensions: &mut Extensions, id: usize, slot: Option<Arc<RouteSlot>>) {
    let outer = extensions.remove().map(Arc::new);
    extensions.insert(SlotCard { id, slot, outer });
}

fn find_slot_card(extensions: &Extensions, id: usize) -> Option<&SlotCard> {
    let first = extensions.get::<SlotCard>();
    let mut cards = std::iter::successors(first, |card| card.outer.as_deref());
    cards.find(|card| card.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_metrics_have_one_id_that_is_free_after_the_last_use() {
        let [one, other] = [0x10, 0x20].map(MetricsId::for_address);
        assert_ne!(one.index, other.index);
        let again = MetricsId::for_address(0x10);
        assert_eq!(one.index, again.index);
        drop(one);
        assert_eq!(MetricsId::for_address(0x10).index, again.index);
        let index = other.index;
        drop(other);
        // Another test may take the free id meanwhile, but then it is in use.
        let next = MetricsId::for_address(0x30);
        assert!(next.index <= index || next.index != again.index);
    }

    #[test]
    fn each_of_many_metrics_finds_its_own_card_and_slot() {
        let ids: Vec<_> = (1..=10).map(|n| MetricsId::for_address(n << 8)).collect();
        let mut extensions = Extensions::new();
        let mut slots = Vec::new();
        for (number, id) in ids.iter().enumerate() {
            assert!(!has_card(&extensions, id));
            assert!(leave_card(&mut extensions, id));
            assert!(has_card(&extensions, id));
            slots.push((number % 2 == 0).then(|| leave_slot(&mut extensions, id)));
        }
        for (id, slot) in ids.iter().zip(&slots) {
            assert!(!leave_card(&mut extensions, id));
            let slot = slot.as_deref().map(std::ptr::from_ref);
            assert_eq!(find_slot(&extensions, id).map(std::ptr::from_ref), slot);
        }
    }

    #[test]
    fn a_slot_keeps_the_innermost_route_of_the_best_kind() {
        let slot = RouteSlot::default();
        assert_eq!(slot.read(), None);
        let [mount, template, inner]: [Arc<str>; 3] = ["/a", "/a/{b}", "/a/b"].map(Arc::from);
        for (route, kind, is_used) in [
            (&mount, RouteKind::Unmatched, false),
            (&mount, RouteKind::Placeholder, true),
            (&template, RouteKind::Named, true),
            (&mount, RouteKind::Placeholder, false),
            (&inner, RouteKind::Named, true),
        ] {
            assert_eq!(slot.write(route, kind), is_used);
        }
        assert_eq!(slot.read(), Some((Arc::clone(&inner), RouteKind::Named)));
        // The outer layer has read it.
        assert!(!slot.write(&template, RouteKind::Named));
        assert_eq!(slot.read(), Some((inner, RouteKind::Named)));
    }
}
