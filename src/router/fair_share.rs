//! How clients share a limited number of slots: no client gets all of them, and if all are in
//! use, the client with the most slots loses one.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Returns the maximum number of slots of one client: three quarters of `limit`, and at least
/// one less than `limit`, so that other clients can get a slot. Of a limit of 1, one client can
/// have the only slot.
pub(super) fn max_per_client(limit: usize) -> usize {
    match limit {
        0 | 1 => limit,
        _ => limit - (limit / 4).max(1),
    }
}

/// The number of slots that each client holds.
#[derive(Debug)]
pub(super) struct SlotCounts(BTreeMap<IpAddr, usize>);

/// A slot that its client can lose.
#[derive(Debug)]
pub(super) struct EvictionCandidate {
    pub(super) id: u64,
    pub(super) client: IpAddr,
    /// Orders candidates by age. The oldest has the lowest.
    pub(super) age_order: u64,
}

impl SlotCounts {
    /// Counts the slots; `clients` has one item for each.
    pub(super) fn new(clients: impl Iterator<Item = IpAddr>) -> Self {
        let mut counts = BTreeMap::new();
        for client in clients {
            *counts.entry(client).or_default() += 1;
        }
        Self(counts)
    }

    pub(super) fn get(&self, client: IpAddr) -> usize {
        self.0.get(&client).copied().unwrap_or_default()
    }

    /// Returns the candidate to evict: one of the client with the most slots, and of these the
    /// oldest.
    pub(super) fn select_victim(
        &self,
        candidates: impl Iterator<Item = EvictionCandidate>,
    ) -> Option<EvictionCandidate> {
        candidates.max_by_key(|slot| (self.get(slot.client), Reverse(slot.age_order)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_never_gets_all_slots_unless_there_is_only_one() {
        let limits = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 64].map(max_per_client);
        assert_eq!(limits, [0, 1, 1, 2, 3, 4, 6, 6, 7, 12, 48]);
        assert_eq!(max_per_client(usize::MAX), usize::MAX - usize::MAX / 4);
    }

    #[test]
    fn the_victim_is_the_oldest_slot_of_the_client_with_the_most() {
        let clients = [1, 2, 2, 3, 3].map(|last| IpAddr::from([10, 0, 0, last]));
        let counts = SlotCounts::new(clients.into_iter());
        let candidates = (0..).zip(clients).map(|(id, client)| EvictionCandidate {
            id,
            client,
            // The last slot is the oldest.
            age_order: 9 - id,
        });
        let victim = counts.select_victim(candidates).unwrap();
        assert_eq!(victim.id, 4);
        assert!(counts.select_victim(std::iter::empty()).is_none());
    }
}
