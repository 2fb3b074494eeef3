//! How many scrapes there may be at a time, and how long each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Places for scrapes under way.
///
/// A place is given back when its scrape ends, or at the scrape's deadline once nothing is
/// being made for it. So a reader that has stopped reading keeps nobody out.
#[derive(Debug)]
pub(super) struct Permits {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// The number of the last place that was given.
    last: u64,
    /// The places that are taken.
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    number: u64,
    /// When its time is over.
    until: Instant,
    /// Whether a page is being made.
    held: bool,
}

impl Permits {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// Gives a place for so long, if there is one.
    pub(super) fn take(self: &Arc<Self>, time: Duration) -> Option<Permit> {
        let now = Instant::now();
        let mut taken = self.taken();
        taken.places.retain(|place| place.held || place.until > now);
        if taken.places.len() >= self.most {
            return None;
        }
        // So far away that it never comes, where it could not be told.
        let far = Duration::from_secs(60 * 60 * 24 * 365);
        let until = now + time.min(far);
        taken.last += 1;
        let number = taken.last;
        taken.places.push(Place {
            number,
            until,
            held: false,
        });
        drop(taken);
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

/// The place of one scrape.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Arc<Permits>,
    number: u64,
    until: Instant,
}

impl Permit {
    /// Keeps the place whatever the time, while something is being made.
    pub(super) fn hold(&self) {
        self.set(true);
    }

    /// Ends what [`hold`](Self::hold) began.
    pub(super) fn release(&self) {
        self.set(false);
    }

    fn set(&self, held: bool) {
        let mut taken = self.permits.taken();
        let mut places = taken.places.iter_mut();
        if let Some(place) = places.find(|place| place.number == self.number) {
            place.held = held;
        }
    }

    /// Returns when the scrape's time is over.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Returns true when the scrape's time is over.
    pub(super) fn is_over(&self) -> bool {
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
        let (one, _two) = (permits.take(day).unwrap(), permits.take(day).unwrap());
        assert!(permits.take(day).is_none());
        drop(one);
        let three = permits.take(Duration::MAX).unwrap();
        assert!(!three.is_over());
        assert!(permits.take(day).is_none());
    }

    #[test]
    fn a_place_whose_time_is_over_is_given_to_another_and_given_back_once() {
        let permits = Permits::new(1);
        let over = permits.take(Duration::ZERO).unwrap();
        assert!(over.is_over());
        let next = permits.take(Duration::MAX).unwrap();
        // It is nobody's any more, and cannot be held.
        over.hold();
        drop(over);
        assert!(permits.take(Duration::MAX).is_none());
        drop(next);
        assert!(permits.take(Duration::MAX).is_some());
    }

    #[test]
    fn a_place_is_kept_beyond_its_time_while_a_page_is_made() {
        let permits = Permits::new(1);
        let over = permits.take(Duration::ZERO).unwrap();
        over.hold();
        assert!(permits.take(Duration::MAX).is_none());
        over.release();
        assert!(permits.take(Duration::MAX).is_some());
    }
}
