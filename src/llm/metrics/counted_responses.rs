//! The ids of background responses that were counted.

use std::collections::{HashSet, VecDeque};

use crate::llm::facts::ResponseId;

/// The ids of the most recently counted background responses.
#[derive(Debug, Default)]
pub(crate) struct CountedResponses {
    ids: HashSet<ResponseId>,
    order: VecDeque<ResponseId>,
}

/// The number of ids that are kept. The oldest one is dropped first.
const MAX_IDS: usize = 10_000;

impl CountedResponses {
    /// Adds an id, and returns false if it is present already.
    pub(crate) fn insert(&mut self, id: ResponseId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_it_is_dropped() {
        let mut counted = CountedResponses::default();
        let id = |number: usize| ResponseId::new(&format!("resp_{number}"));
        assert!(counted.insert(id(0)));
        assert!(!counted.insert(id(0)));
        assert!((1..MAX_IDS).all(|number| counted.insert(id(number))));
        assert!(!counted.insert(id(0)));
        assert!(counted.insert(id(MAX_IDS)));
        assert!(counted.insert(id(0)));
        assert_eq!((counted.ids.len(), counted.order.len()), (MAX_IDS, MAX_IDS));
    }
}
