//! Permits limit the number of concurrent scrapes, and the time of each.
//!
//! `ConcurrencyLimit` of tower releases a permit at the response head. A scrape holds its permit
//! until the end of the body, and another client can take it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::router::fair_share::{EvictionCandidate, SlotCounts, max_per_client};
use crate::router::scrape::error::{Abort, ScrapeError};
use crate::router::scrape::timeout::FAR_FUTURE;

/// A limited number of permits for scrapes.
///
/// A permit is released when its scrape ends. At its deadline it can be given to another scrape,
/// so that clients that have stopped reading do not keep others out.
///
/// One client can have a share of the permits only. A scrape that is encoding keeps its permit,
/// and one client could otherwise keep all permits busy that way. If all permits are in use, a
/// client takes one from the client with the most.
pub(crate) struct ScrapePermits {
    limit: usize,
    active: Mutex<ActivePermits>,
}

#[derive(Default)]
struct ActivePermits {
    /// The ID of the latest permit.
    last_id: u64,
    /// The oldest first.
    permits: Vec<ActivePermit>,
}

struct ActivePermit {
    id: u64,
    /// `None` if the server provides no client addresses.
    client: Option<IpAddr>,
    deadline: Instant,
    /// Whether the scrape is encoding. It keeps its permit until it has finished.
    is_pinned: bool,
    /// The scrape to abort if the permit is evicted. Without one, it is not evicted.
    scrape: Option<Weak<dyn Abort>>,
}

impl ScrapePermits {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            active: Mutex::default(),
        })
    }

    /// Returns a permit for a scrape of this client, if one is available or can be taken from
    /// another client. It expires after `timeout`.
    ///
    /// Scrapes without a client address are not limited to a share, and evict no other scrape.
    pub(crate) fn try_acquire(
        self: &Arc<Self>,
        timeout: Duration,
        client: Option<IpAddr>,
    ) -> Option<ScrapePermit> {
        let now = Instant::now();
        let mut active = self.active();
        let is_live = |permit: &ActivePermit| permit.is_pinned || permit.deadline > now;
        active.permits.retain(is_live);
        let is_same_client = |permit: &&ActivePermit| permit.client == client;
        let held_by_client = active.permits.iter().filter(is_same_client).count();
        if client.is_some() && held_by_client >= max_per_client(self.limit) {
            return None;
        }
        let mut evicted = None;
        if active.permits.len() >= self.limit {
            evicted = Some(active.evict_for(client?)?);
        }
        let deadline = now + timeout.min(FAR_FUTURE);
        active.last_id += 1;
        let id = active.last_id;
        active.permits.push(ActivePermit {
            id,
            client,
            deadline,
            is_pinned: false,
            scrape: None,
        });
        drop(active);
        // Without the lock, which the aborted scrape takes to release its permit.
        if let Some(scrape) = evicted.and_then(|scrape| scrape.upgrade()) {
            scrape.abort(ScrapeError::Evicted);
        }
        Some(ScrapePermit {
            permits: Arc::clone(self),
            id,
            deadline,
        })
    }

    fn active(&self) -> MutexGuard<'_, ActivePermits> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActivePermits {
    /// Removes the oldest permit of the client with the most permits, if that client has at
    /// least two more than `client`. Returns the scrape to abort.
    fn evict_for(&mut self, client: IpAddr) -> Option<Weak<dyn Abort>> {
        let permits = self.permits.iter();
        let counts = SlotCounts::new(permits.clone().filter_map(|permit| permit.client));
        let can_evict = |permit: &&ActivePermit| !permit.is_pinned && permit.scrape.is_some();
        let candidates = permits.filter(can_evict).filter_map(|permit| {
            Some(EvictionCandidate {
                id: permit.id,
                client: permit.client?,
                age_order: permit.id,
            })
        });
        let victim = counts.select_victim(candidates)?;
        if counts.get(victim.client) <= counts.get(client) + 1 {
            return None;
        }
        let index = self
            .permits
            .iter()
            .position(|permit| permit.id == victim.id)?;
        self.permits.remove(index).scrape
    }
}

/// A permit for one scrape. It is released when this is dropped.
pub(crate) struct ScrapePermit {
    permits: Arc<ScrapePermits>,
    id: u64,
    deadline: Instant,
}

impl ScrapePermit {
    /// Allows another client to take the permit of `scrape`.
    pub(super) fn allow_eviction(&self, scrape: Weak<dyn Abort>) {
        self.update(|permit| permit.scrape = Some(scrape));
    }

    /// Keeps the permit from being taken until [`unpin`](Self::unpin), also past its deadline.
    /// Returns false if it was taken already.
    #[must_use]
    pub(crate) fn pin(&self) -> bool {
        self.update(|permit| permit.is_pinned = true)
    }

    pub(super) fn unpin(&self) {
        self.update(|permit| permit.is_pinned = false);
    }

    /// Returns false if the permit was taken.
    fn update(&self, update: impl FnOnce(&mut ActivePermit)) -> bool {
        let mut active = self.permits.active();
        let mut permits = active.permits.iter_mut();
        let permit = permits.find(|permit| permit.id == self.id);
        permit.map(update).is_some()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn is_expired(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

impl Drop for ScrapePermit {
    fn drop(&mut self) {
        let id = self.id;
        let mut active = self.permits.active();
        active.permits.retain(|permit| permit.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_permits_is_limited_and_dropping_releases_them() {
        let permits = ScrapePermits::new(2);
        let day = Duration::from_secs(60 * 60 * 24);
        let (first, _second) = (
            permits.try_acquire(day, None).unwrap(),
            permits.try_acquire(day, None).unwrap(),
        );
        assert!(permits.try_acquire(day, None).is_none());
        drop(first);
        let third = permits.try_acquire(Duration::MAX, None).unwrap();
        assert!(!third.is_expired());
        assert!(permits.try_acquire(day, None).is_none());
    }

    #[test]
    fn an_expired_permit_is_given_to_another_scrape_and_released_once() {
        let permits = ScrapePermits::new(1);
        let expired = permits.try_acquire(Duration::ZERO, None).unwrap();
        assert!(expired.is_expired());
        let next = permits.try_acquire(Duration::MAX, None).unwrap();
        assert!(!expired.pin());
        drop(expired);
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        drop(next);
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
    }

    #[test]
    fn a_pinned_permit_is_kept_past_its_deadline() {
        let permits = ScrapePermits::new(1);
        let expired = permits.try_acquire(Duration::ZERO, None).unwrap();
        assert!(expired.pin());
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        expired.unpin();
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
    }

    struct Scrape(Mutex<Option<ScrapePermit>>);

    impl Abort for Scrape {
        fn abort(&self, error: ScrapeError) {
            assert!(matches!(error, ScrapeError::Evicted));
            drop(self.0.lock().unwrap().take());
        }
    }

    fn client(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn one_client_never_has_all_permits_however_busy_it_keeps_them() {
        for (limit, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (100, 75)] {
            let permits = ScrapePermits::new(limit);
            let acquire = |client| permits.try_acquire(Duration::MAX, client);
            let busy: Vec<_> = std::iter::from_fn(|| acquire(Some(client(1))))
                .inspect(|permit| assert!(permit.pin()))
                .collect();
            assert_eq!(busy.len(), expected, "{limit}");
            let others = [(); 200].map(|()| acquire(Some(client(2))));
            let available = (limit - expected).min(expected);
            assert_eq!(others.iter().flatten().count(), available, "{limit}");
            drop(others);
            // Clients without an address can have all permits that are available.
            let unknown = [(); 200].map(|()| acquire(None));
            assert_eq!(
                unknown.iter().flatten().count(),
                limit - expected,
                "{limit}"
            );
            drop(busy);
            assert_eq!(acquire(Some(client(1))).is_some(), limit > 0);
        }
    }

    #[test]
    fn a_client_takes_a_permit_only_from_one_with_at_least_two_more() {
        let permits = ScrapePermits::new(4);
        let start = |last| {
            let permit = permits.try_acquire(Duration::MAX, Some(client(last)))?;
            let scrape = Arc::new(Scrape(Mutex::new(Some(permit))));
            let target: Arc<dyn Abort> = scrape.clone();
            let permit = scrape.0.lock().unwrap();
            permit
                .as_ref()
                .unwrap()
                .allow_eviction(Arc::downgrade(&target));
            drop(permit);
            Some(scrape)
        };
        let is_aborted = |scrape: &Arc<Scrape>| scrape.0.lock().unwrap().is_none();
        let greedy = [(); 3].map(|()| start(1).unwrap());
        assert!(start(1).is_none());
        let _unknown = permits.try_acquire(Duration::MAX, None).unwrap();
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        // A pinned permit is not taken.
        let pinned = greedy[0].0.lock().unwrap();
        assert!(pinned.as_ref().unwrap().pin());
        drop(pinned);
        let first = start(2).unwrap();
        assert!(!is_aborted(&greedy[0]) && is_aborted(&greedy[1]) && !is_aborted(&greedy[2]));
        // With another one, it would have as many as the greedy client.
        assert!(start(2).is_none() && !is_aborted(&first));
        let second = start(3).unwrap();
        assert!(is_aborted(&greedy[2]) && !is_aborted(&greedy[0]) && !is_aborted(&first));
        assert!(start(1).is_none() && start(3).is_none() && start(4).is_none());
        assert!(!is_aborted(&second));
    }
}
