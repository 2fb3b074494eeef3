//! The connections that there are, and which one makes room for another.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::router::allowed_networks::client_key;
use crate::router::fair_share::share;
use crate::router::serve::limits::ListenerLimits;

/// The slots of a listener's connections.
#[derive(Debug)]
pub(super) struct ConnectionSlots {
    limits: ListenerLimits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Numbers both the slots and the times at which they became idle.
    last: u64,
    taken: BTreeMap<u64, Taken>,
}

#[derive(Debug)]
struct Taken {
    address: IpAddr,
    /// When it became idle, unless a request is being answered.
    idle: Option<u64>,
    /// When its time is over. It is dropped to take the slot away.
    until: watch::Sender<Instant>,
}

/// Why a connection has no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotError {
    /// Its address is at its limit, and all its connections are answering a request.
    AddressLimit,
    /// All connections are answering a request.
    ListenerLimit,
}

impl ConnectionSlots {
    pub(super) fn new(limits: ListenerLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            table: Mutex::default(),
        })
    }

    /// Gives a slot to a connection from this address, at the cost of an idle one if need
    /// be.
    ///
    /// # Errors
    ///
    /// When there is no slot, and no idle connection to close.
    pub(super) fn try_acquire(
        self: &Arc<Self>,
        address: IpAddr,
    ) -> Result<ConnectionSlot, SlotError> {
        let address = client_key(address);
        let mut table = self.table();
        let own = table.taken.values().filter(|one| one.address == address);
        // Without any slot it is the listener that is full.
        let share = share(self.limits.connections).max(1);
        let most = self.limits.per_address.min(share);
        if own.count() >= most && !table.evict(Some(address)) {
            return Err(SlotError::AddressLimit);
        }
        if table.taken.len() >= self.limits.connections && !table.evict(None) {
            return Err(SlotError::ListenerLimit);
        }
        let number = table.next();
        let (until, over) = watch::channel(Instant::now() + self.limits.first);
        let idle = Some(number);
        let taken = Taken {
            address,
            idle,
            until,
        };
        table.taken.insert(number, taken);
        drop(table);
        Ok(ConnectionSlot {
            slots: Arc::clone(self),
            number,
            over,
            is_answering: AtomicBool::new(false),
            is_sent: AtomicBool::new(false),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Closes the oldest idle connection of this address; without an address, that of the
    /// address that has most connections, so that one that has few keeps them. Returns
    /// false when there is none.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        for one in self.taken.values() {
            *counts.entry(one.address).or_default() += 1;
        }
        let asked = |one: &Taken| address.is_none_or(|address| address == one.address);
        let idle = self.taken.iter().filter(|(_, one)| asked(one));
        let idle = idle.filter_map(|(number, one)| Some((*number, one.address, one.idle?)));
        let first = idle.min_by_key(|(_, address, since)| {
            let most_first = usize::MAX - counts.get(address).copied().unwrap_or_default();
            (most_first, *since)
        });
        first.is_some_and(|(number, ..)| self.taken.remove(&number).is_some())
    }
}

/// The slot of one connection, which is given back when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    number: u64,
    over: watch::Receiver<Instant>,
    is_answering: AtomicBool,
    /// Whether all of the answer was given to the socket's buffers, or is about to be.
    is_sent: AtomicBool,
}

impl ConnectionSlot {
    /// Says that a request is being answered, and by when the answer has to be taken.
    pub(super) fn start_response(&self, until: Instant) {
        self.is_sent.store(false, Ordering::Relaxed);
        self.is_answering.store(true, Ordering::Relaxed);
        self.change(|_| None, until);
    }

    /// Says that the answer has been made, and is idle once it is flushed.
    pub(super) fn finish_response(&self) {
        self.is_sent.store(true, Ordering::Relaxed);
    }

    /// Says that all that was made has been sent.
    pub(super) fn on_flush(&self) {
        if self.is_sent.swap(false, Ordering::Relaxed) {
            self.is_answering.store(false, Ordering::Relaxed);
            let until = Instant::now() + self.slots.limits.idle;
            self.change(|table| Some(table.next()), until);
        }
    }

    /// Returns true when an answer is under way.
    pub(super) fn is_answering(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// Returns when the connection's time is over, or its slot was given to another.
    pub(super) async fn expired_or_evicted(&self) {
        let mut over = self.over.clone();
        loop {
            let until = *over.borrow_and_update();
            tokio::select! {
                () = sleep_until(until) => return,
                changed = over.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    }

    fn change(&self, idle: impl FnOnce(&mut Table) -> Option<u64>, until: Instant) {
        let mut table = self.slots.table();
        let idle = idle(&mut table);
        // It is not there if it was given to another.
        if let Some(taken) = table.taken.get_mut(&self.number) {
            taken.idle = idle;
            taken.until.send_replace(until);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.table().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn slots(connections: usize, per_address: usize) -> Arc<ConnectionSlots> {
        ConnectionSlots::new(ListenerLimits {
            connections,
            per_address,
            ..ListenerLimits::default()
        })
    }

    fn take(slots: &Arc<ConnectionSlots>, address: &str) -> Result<ConnectionSlot, SlotError> {
        slots.try_acquire(address.parse().unwrap())
    }

    fn answering(slots: &Arc<ConnectionSlots>, address: &str) -> ConnectionSlot {
        let slot = take(slots, address).unwrap();
        slot.start_response(Instant::now() + Duration::from_secs(30));
        slot
    }

    fn is_closed(slot: &ConnectionSlot) -> bool {
        slot.over.has_changed().is_err()
    }

    #[test]
    fn an_address_closes_its_own_oldest_idle_connection_and_no_other() {
        let slots = slots(8, 2);
        let other = take(&slots, "10.0.0.1").unwrap();
        let [first, second] = [(); 2].map(|()| take(&slots, "10.0.0.2").unwrap());
        let third = take(&slots, "10.0.0.2").unwrap();
        assert_eq!(
            [&other, &first, &second, &third].map(is_closed),
            [false, true, false, false]
        );
        // That which has answered since is the younger one.
        second.start_response(Instant::now());
        second.finish_response();
        second.on_flush();
        let fourth = take(&slots, "10.0.0.2").unwrap();
        assert_eq!(
            [&second, &third, &fourth].map(is_closed),
            [false, true, false]
        );
        // Two that answer are all that it may have.
        second.start_response(Instant::now());
        fourth.start_response(Instant::now());
        assert_eq!(
            take(&slots, "10.0.0.2").unwrap_err(),
            SlotError::AddressLimit
        );
        assert!(take(&slots, "10.0.0.3").is_ok());
    }

    #[test]
    fn one_that_answers_is_never_closed_until_all_was_flushed() {
        let slots = slots(1, 1);
        let slot = answering(&slots, "10.0.0.1");
        slot.on_flush();
        assert_eq!(
            take(&slots, "10.0.0.2").unwrap_err(),
            SlotError::ListenerLimit
        );
        slot.finish_response();
        assert_eq!(
            take(&slots, "10.0.0.2").unwrap_err(),
            SlotError::ListenerLimit
        );
        slot.on_flush();
        let next = take(&slots, "10.0.0.2").unwrap();
        assert!(is_closed(&slot));
        // What the closed one does is nothing to the slot's new owner.
        slot.start_response(Instant::now());
        drop(slot);
        assert!(!is_closed(&next));
        assert!(take(&slots, "10.0.0.2").is_ok());
    }

    #[test]
    fn when_all_slots_are_taken_the_address_with_most_makes_room() {
        let slots = slots(4, 3);
        let honest = take(&slots, "10.0.0.1").unwrap();
        let greedy = [(); 3].map(|()| take(&slots, "10.0.0.2").unwrap());
        let newcomer = take(&slots, "10.0.0.3").unwrap();
        assert!(is_closed(&greedy[0]) && !is_closed(&honest));
        // Of equals the oldest.
        let [_second, third] = [take(&slots, "10.0.0.4"), take(&slots, "10.0.0.5")];
        assert!(is_closed(&greedy[1]) && is_closed(&honest));
        assert!(!is_closed(&newcomer) && third.is_ok());
    }

    #[test]
    fn no_address_has_all_slots_if_there_are_several() {
        for (connections, per_address, expected) in
            [(1, 16, 1), (2, 16, 1), (8, 8, 6), (8, 3, 3), (64, 64, 48)]
        {
            let slots = slots(connections, per_address);
            let open =
                || take(&slots, "10.0.0.1").inspect(|slot| slot.start_response(Instant::now()));
            let busy: Vec<_> = std::iter::from_fn(|| open().ok()).collect();
            assert_eq!(busy.len(), expected);
            assert_eq!(open().unwrap_err(), SlotError::AddressLimit);
            assert_eq!(take(&slots, "10.0.0.2").is_ok(), connections > 1);
        }
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_so_is_ipv4_within_ipv6() {
        for (one, other, same) in [
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::1", "127.0.0.1", false),
        ] {
            let slots = slots(2, 1);
            let _slot = answering(&slots, one);
            let second = take(&slots, other);
            assert_eq!(second.is_err(), same, "{one} {other}");
        }
    }

    #[test]
    fn with_no_slot_at_all_there_is_none() {
        assert_eq!(
            take(&slots(0, 1), "::1").unwrap_err(),
            SlotError::ListenerLimit
        );
        assert_eq!(
            take(&slots(1, 0), "::1").unwrap_err(),
            SlotError::AddressLimit
        );
    }
}
