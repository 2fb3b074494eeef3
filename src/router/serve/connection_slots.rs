//! Slots limit the number of connections. An idle connection can lose its slot to a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::router::client_address::client_key;
use crate::router::fair_share::{EvictionCandidate, SlotCounts, max_per_client};
use crate::router::serve::limits::ListenerLimits;

/// The slots of a listener's connections.
#[derive(Debug)]
pub(super) struct ConnectionSlots {
    limits: ListenerLimits,
    table: Mutex<SlotTable>,
}

#[derive(Debug, Default)]
struct SlotTable {
    /// The latest number of the sequence that identifies slots and orders idle connections.
    last_number: u64,
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    /// A number that orders idle connections by the time since they are idle. `None` while a
    /// response is in progress.
    idle_since: Option<u64>,
    /// The time at which the connection is closed. Dropping the sender closes it at once.
    deadline: watch::Sender<Instant>,
}

/// The reason why a connection gets no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotError {
    /// The address is at its limit, and none of its connections is idle.
    AddressLimit,
    /// The listener is at its limit, and no connection is idle.
    ListenerLimit,
}

impl ConnectionSlots {
    pub(super) fn new(limits: ListenerLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            table: Mutex::default(),
        })
    }

    /// Returns a slot for a connection from this address. At a limit, it evicts an idle
    /// connection.
    ///
    /// # Errors
    ///
    /// If a limit is reached and there is no idle connection to evict.
    pub(super) fn try_acquire(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Result<ConnectionSlot, SlotError> {
        let address = client_key(address);
        let mut table = self.table();
        let connections = table.connections.values();
        let held_by_address = connections.filter(|one| one.address == address).count();
        // With a limit of 0 connections, the error is that of the listener's limit.
        let share = max_per_client(self.limits.connections).max(1);
        let max = self.limits.connections_per_address.min(share);
        if held_by_address >= max && !table.evict(Some(address)) {
            return Err(SlotError::AddressLimit);
        }
        if table.connections.len() >= self.limits.connections && !table.evict(None) {
            return Err(SlotError::ListenerLimit);
        }
        let id = table.next_number();
        let first_deadline = Instant::now() + self.limits.first_request;
        let (deadline, deadline_receiver) = watch::channel(first_deadline);
        let connection = Connection {
            address,
            idle_since: Some(id),
            deadline,
        };
        table.connections.insert(id, connection);
        drop(table);
        Ok(ConnectionSlot {
            slots: Arc::clone(self),
            id,
            deadline: deadline_receiver,
            is_responding: AtomicBool::new(false),
            is_finished: AtomicBool::new(false),
        })
    }

    fn table(&self) -> MutexGuard<'_, SlotTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotTable {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Closes the oldest idle connection of this address. Without an address, closes that of the
    /// address with the most connections. Returns false if no connection is idle.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let connections = self.connections.iter();
        let counts = SlotCounts::new(connections.clone().map(|(_, one)| one.address));
        let is_eligible = |one: &Connection| address.is_none_or(|address| address == one.address);
        let candidates = connections.filter(|(_, one)| is_eligible(one));
        let candidates = candidates.filter_map(|(id, one)| {
            Some(EvictionCandidate {
                id: *id,
                client: one.address,
                age_order: one.idle_since?,
            })
        });
        let victim = counts.select_victim(candidates);
        victim.is_some_and(|victim| self.connections.remove(&victim.id).is_some())
    }
}

/// The slot of one connection. It is released when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    id: u64,
    deadline: watch::Receiver<Instant>,
    is_responding: AtomicBool,
    /// Whether hyper has read all of the response. It is flushed next.
    is_finished: AtomicBool,
}

impl ConnectionSlot {
    /// Marks the connection as responding. The client has to read the response before
    /// `deadline`.
    pub(super) fn start_response(&self, deadline: Instant) {
        self.is_finished.store(false, Ordering::Relaxed);
        self.is_responding.store(true, Ordering::Relaxed);
        self.update(|_| None, deadline);
    }

    /// Marks the response as finished. The connection is idle after the next flush.
    pub(super) fn finish_response(&self) {
        self.is_finished.store(true, Ordering::Relaxed);
    }

    /// Marks the connection as idle, if its response is finished.
    pub(super) fn on_flush(&self) {
        if self.is_finished.swap(false, Ordering::Relaxed) {
            self.is_responding.store(false, Ordering::Relaxed);
            let deadline = Instant::now() + self.slots.limits.idle;
            self.update(|table| Some(table.next_number()), deadline);
        }
    }

    pub(super) fn is_responding(&self) -> bool {
        self.is_responding.load(Ordering::Relaxed)
    }

    /// Waits until the connection's deadline has passed, or another connection got its slot.
    pub(super) async fn expired_or_evicted(&self) {
        let mut receiver = self.deadline.clone();
        loop {
            let deadline = *receiver.borrow_and_update();
            tokio::select! {
                () = sleep_until(deadline) => return,
                changed = receiver.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    }

    fn update(&self, idle_since: impl FnOnce(&mut SlotTable) -> Option<u64>, deadline: Instant) {
        let mut table = self.slots.table();
        let idle_since = idle_since(&mut table);
        // It is missing if it was evicted.
        if let Some(connection) = table.connections.get_mut(&self.id) {
            connection.idle_since = idle_since;
            connection.deadline.send_replace(deadline);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.table().connections.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn slots(connections: usize, connections_per_address: usize) -> Arc<ConnectionSlots> {
        ConnectionSlots::new(ListenerLimits {
            connections,
            connections_per_address,
            ..ListenerLimits::default()
        })
    }

    fn acquire(slots: &Arc<ConnectionSlots>, address: &str) -> Result<ConnectionSlot, SlotError> {
        slots.try_acquire(address.parse().unwrap())
    }

    fn responding(slots: &Arc<ConnectionSlots>, address: &str) -> ConnectionSlot {
        let slot = acquire(slots, address).unwrap();
        slot.start_response(Instant::now() + Duration::from_secs(30));
        slot
    }

    fn is_evicted(slot: &ConnectionSlot) -> bool {
        slot.deadline.has_changed().is_err()
    }

    #[test]
    fn at_its_limit_an_address_loses_its_oldest_idle_connection() {
        let slots = slots(8, 2);
        let other = acquire(&slots, "10.0.0.1").unwrap();
        let [first, second] = [(); 2].map(|()| acquire(&slots, "10.0.0.2").unwrap());
        let third = acquire(&slots, "10.0.0.2").unwrap();
        assert_eq!(
            [&other, &first, &second, &third].map(is_evicted),
            [false, true, false, false]
        );
        // A connection that has responded since is younger.
        second.start_response(Instant::now());
        second.finish_response();
        second.on_flush();
        let fourth = acquire(&slots, "10.0.0.2").unwrap();
        assert_eq!(
            [&second, &third, &fourth].map(is_evicted),
            [false, true, false]
        );
        // Both connections of the address are responding.
        second.start_response(Instant::now());
        fourth.start_response(Instant::now());
        assert_eq!(
            acquire(&slots, "10.0.0.2").unwrap_err(),
            SlotError::AddressLimit
        );
        assert!(acquire(&slots, "10.0.0.3").is_ok());
    }

    #[test]
    fn a_responding_connection_is_not_evicted_until_its_response_is_flushed() {
        let slots = slots(1, 1);
        let slot = responding(&slots, "10.0.0.1");
        slot.on_flush();
        assert_eq!(
            acquire(&slots, "10.0.0.2").unwrap_err(),
            SlotError::ListenerLimit
        );
        slot.finish_response();
        assert_eq!(
            acquire(&slots, "10.0.0.2").unwrap_err(),
            SlotError::ListenerLimit
        );
        slot.on_flush();
        let next = acquire(&slots, "10.0.0.2").unwrap();
        assert!(is_evicted(&slot));
        // The evicted connection does not affect the new one.
        slot.start_response(Instant::now());
        drop(slot);
        assert!(!is_evicted(&next));
        assert!(acquire(&slots, "10.0.0.2").is_ok());
    }

    #[test]
    fn if_no_slot_is_free_the_address_with_the_most_connections_loses_one() {
        let slots = slots(4, 3);
        let honest = acquire(&slots, "10.0.0.1").unwrap();
        let greedy = [(); 3].map(|()| acquire(&slots, "10.0.0.2").unwrap());
        let newcomer = acquire(&slots, "10.0.0.3").unwrap();
        assert!(is_evicted(&greedy[0]) && !is_evicted(&honest));
        // If several have the most, the oldest connection is evicted.
        let [_second, third] = [acquire(&slots, "10.0.0.4"), acquire(&slots, "10.0.0.5")];
        assert!(is_evicted(&greedy[1]) && is_evicted(&honest));
        assert!(!is_evicted(&newcomer) && third.is_ok());
    }

    #[test]
    fn no_address_has_all_slots_unless_there_is_only_one() {
        for (connections, connections_per_address, expected) in
            [(1, 16, 1), (2, 16, 1), (8, 8, 6), (8, 3, 3), (64, 64, 48)]
        {
            let slots = slots(connections, connections_per_address);
            let open =
                || acquire(&slots, "10.0.0.1").inspect(|slot| slot.start_response(Instant::now()));
            let busy: Vec<_> = std::iter::from_fn(|| open().ok()).collect();
            assert_eq!(busy.len(), expected);
            assert_eq!(open().unwrap_err(), SlotError::AddressLimit);
            assert_eq!(acquire(&slots, "10.0.0.2").is_ok(), connections > 1);
        }
    }

    #[test]
    fn an_ipv6_64_network_counts_as_one_address_and_so_does_mapped_ipv4() {
        for (one, other, same) in [
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::1", "127.0.0.1", false),
        ] {
            let slots = slots(2, 1);
            let _slot = responding(&slots, one);
            let second = acquire(&slots, other);
            assert_eq!(second.is_err(), same, "{one} {other}");
        }
    }

    #[test]
    fn a_limit_of_zero_rejects_all_connections() {
        assert_eq!(
            acquire(&slots(0, 1), "::1").unwrap_err(),
            SlotError::ListenerLimit
        );
        assert_eq!(
            acquire(&slots(1, 0), "::1").unwrap_err(),
            SlotError::AddressLimit
        );
    }
}
