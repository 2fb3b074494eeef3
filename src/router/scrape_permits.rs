//! How many scrapes there may be at a time, and how long each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::router::evict::Evict;
use crate::router::fair_share::share;
use crate::router::scrape_timeout::FAR_FUTURE;

/// Places for scrapes under way.
///
/// A place is given back when its scrape ends, or at the scrape's deadline once nothing is
/// being made for it. So a reader that has stopped reading keeps nobody out. One client has a
/// share of the places only: a scrape that is making a page keeps its place, and one client
/// could have that done in all places. If all places are taken, a client takes one from the
/// client that has most.
pub(super) struct Permits {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// The number of the last place that was given.
    last: u64,
    /// The places that are taken, the oldest first.
    places: Vec<Place>,
}

struct Place {
    number: u64,
    /// Whose it is, if it is known.
    client: Option<IpAddr>,
    /// When its time is over.
    until: Instant,
    /// Whether a page is being made.
    held: bool,
    /// What ends the scrape, if it can be ended.
    scrape: Option<Weak<dyn Evict>>,
}

impl Permits {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// Gives a place for this time, if there is one or this client may take another's.
    ///
    /// A client that is not known has no share, and takes nobody's place.
    pub(super) fn try_acquire(
        self: &Arc<Self>,
        time: Duration,
        client: Option<IpAddr>,
    ) -> Option<Permit> {
        let now = Instant::now();
        let mut taken = self.taken();
        taken.places.retain(|place| place.held || place.until > now);
        let own = |place: &&Place| place.client == client;
        if client.is_some() && taken.places.iter().filter(own).count() >= share(self.most) {
            return None;
        }
        let mut evicted = None;
        if taken.places.len() >= self.most {
            evicted = Some(taken.evict(client?)?);
        }
        let until = now + time.min(FAR_FUTURE);
        taken.last += 1;
        let number = taken.last;
        taken.places.push(Place {
            number,
            client,
            until,
            held: false,
            scrape: None,
        });
        drop(taken);
        // Without the lock, which the scrape takes to give back its place.
        if let Some(scrape) = evicted.and_then(|scrape| scrape.upgrade()) {
            scrape.evict();
        }
        Some(Permit {
            permits: Arc::clone(self),
            number,
            until,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Takes the place of the oldest scrape of the address that has most places, if that has
    /// more than this client will have; and returns what ends the scrape.
    fn evict(&mut self, client: IpAddr) -> Option<Weak<dyn Evict>> {
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        for place in &self.places {
            if let Some(client) = place.client {
                *counts.entry(client).or_default() += 1;
            }
        }
        let count = |client: IpAddr| counts.get(&client).copied().unwrap_or_default();
        let may_end = |place: &&Place| !place.held && place.scrape.is_some();
        // Of equals the last, hence from the youngest to the oldest.
        let ended = self.places.iter().rev().filter(may_end);
        let ended = ended.filter_map(|place| Some((count(place.client?), place.number)));
        let (most, number) = ended.max_by_key(|(count, _)| *count)?;
        if most <= count(client) + 1 {
            return None;
        }
        let at = self
            .places
            .iter()
            .position(|place| place.number == number)?;
        self.places.remove(at).scrape
    }
}

/// The place of one scrape.
pub(super) struct Permit {
    permits: Arc<Permits>,
    number: u64,
    until: Instant,
}

impl Permit {
    /// Lets another client take the place of `scrape`.
    pub(super) fn allow_eviction(&self, scrape: Weak<dyn Evict>) {
        self.change(|place| place.scrape = Some(scrape));
    }

    /// Keeps the place whatever the time, while something is being made; returns false if
    /// it has gone to another.
    #[must_use]
    pub(super) fn pin(&self) -> bool {
        self.change(|place| place.held = true)
    }

    /// Ends what [`hold`](Self::hold) began.
    pub(super) fn unpin(&self) {
        self.change(|place| place.held = false);
    }

    fn change(&self, change: impl FnOnce(&mut Place)) -> bool {
        let mut taken = self.permits.taken();
        let mut places = taken.places.iter_mut();
        let place = places.find(|place| place.number == self.number);
        place.map(change).is_some()
    }

    /// Returns when the scrape's time is over.
    pub(super) fn deadline(&self) -> Instant {
        self.until
    }

    /// Returns true when the scrape's time is over.
    pub(super) fn is_expired(&self) -> bool {
        Instant::now() >= self.until
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let number = self.number;
        let mut taken = self.permits.taken();
        taken.places.retain(|place| place.number != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_each_is_given_back() {
        let permits = Permits::new(2);
        let day = Duration::from_secs(60 * 60 * 24);
        let (one, _two) = (
            permits.try_acquire(day, None).unwrap(),
            permits.try_acquire(day, None).unwrap(),
        );
        assert!(permits.try_acquire(day, None).is_none());
        drop(one);
        let three = permits.try_acquire(Duration::MAX, None).unwrap();
        assert!(!three.is_expired());
        assert!(permits.try_acquire(day, None).is_none());
    }

    #[test]
    fn a_place_whose_time_is_over_is_given_to_another_and_given_back_once() {
        let permits = Permits::new(1);
        let over = permits.try_acquire(Duration::ZERO, None).unwrap();
        assert!(over.is_expired());
        let next = permits.try_acquire(Duration::MAX, None).unwrap();
        // It is nobody's any more, and cannot be held.
        assert!(!over.pin());
        drop(over);
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        drop(next);
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
    }

    #[test]
    fn a_place_is_kept_beyond_its_time_while_a_page_is_made() {
        let permits = Permits::new(1);
        let over = permits.try_acquire(Duration::ZERO, None).unwrap();
        assert!(over.pin());
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        over.unpin();
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
    }

    struct Scrape(Mutex<Option<Permit>>);

    impl Evict for Scrape {
        fn evict(&self) {
            drop(self.0.lock().unwrap().take());
        }
    }

    fn client(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn one_client_never_has_all_places_however_busy_it_keeps_them() {
        for (most, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (100, 75)] {
            let permits = Permits::new(most);
            let take = |client| permits.try_acquire(Duration::MAX, client);
            let busy: Vec<_> = std::iter::from_fn(|| take(Some(client(1))))
                .inspect(|permit| assert!(permit.pin()))
                .collect();
            assert_eq!(busy.len(), expected, "{most}");
            let others = [(); 200].map(|()| take(Some(client(2))));
            let left = (most - expected).min(expected);
            assert_eq!(others.iter().flatten().count(), left, "{most}");
            drop(others);
            // Those that are not known have all the rest.
            let unknown = [(); 200].map(|()| take(None));
            assert_eq!(unknown.iter().flatten().count(), most - expected, "{most}");
            drop(busy);
            assert_eq!(take(Some(client(1))).is_some(), most > 0);
        }
    }

    #[test]
    fn a_client_takes_a_place_from_one_that_has_more_and_only_then() {
        let permits = Permits::new(4);
        let scrape = |last| {
            let permit = permits.try_acquire(Duration::MAX, Some(client(last)))?;
            let scrape = Arc::new(Scrape(Mutex::new(Some(permit))));
            let evicted: Arc<dyn Evict> = scrape.clone();
            let permit = scrape.0.lock().unwrap();
            let place = permit.as_ref().unwrap();
            place.allow_eviction(Arc::downgrade(&evicted));
            drop(permit);
            Some(scrape)
        };
        let is_over = |scrape: &Arc<Scrape>| scrape.0.lock().unwrap().is_none();
        let greedy = [(); 3].map(|()| scrape(1).unwrap());
        assert!(scrape(1).is_none());
        let _unknown = permits.try_acquire(Duration::MAX, None).unwrap();
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        // What is being made cannot be ended.
        let held = greedy[0].0.lock().unwrap();
        assert!(held.as_ref().unwrap().pin());
        drop(held);
        let first = scrape(2).unwrap();
        assert!(!is_over(&greedy[0]) && is_over(&greedy[1]) && !is_over(&greedy[2]));
        // It would have as many as the other.
        assert!(scrape(2).is_none() && !is_over(&first));
        let second = scrape(3).unwrap();
        assert!(is_over(&greedy[2]) && !is_over(&greedy[0]) && !is_over(&first));
        assert!(scrape(1).is_none() && scrape(3).is_none() && scrape(4).is_none());
        assert!(!is_over(&second));
    }
}
