//! Reads whose result a monitoring system gets.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metric::{AnySet, ReadId};
use crate::registry::Registry;
use crate::registry::block_reader::BlockReader;

/// A read whose result is delivered to a monitoring system, such as a scrape by Prometheus.
///
/// Series expire only after their last value was delivered; see
/// [`Family::expire_after`](crate::Family::expire_after). If a delivery is dropped without a call
/// of [`complete`](Self::complete), the read does not count.
#[must_use = "a delivery counts once it is complete"]
pub(crate) struct Delivery(Arc<DeliveredSets>);

/// The sets that a read has read, of those whose series can expire.
pub(super) struct DeliveredSets {
    read: ReadId,
    sets: Mutex<Vec<Arc<dyn AnySet>>>,
}

impl Registry {
    /// Returns a reader whose result is delivered to a monitoring system. Series that have
    /// expired are removed when their family is reached.
    pub(crate) fn reader_for_delivery(&self) -> (BlockReader, Delivery) {
        let delivered = Arc::new(DeliveredSets {
            read: ReadId::next(),
            sets: Mutex::default(),
        });
        let reader = self.reader().with_delivery(Arc::clone(&delivered));
        (reader, Delivery(delivered))
    }
}

impl Delivery {
    /// Records that everything that was read was delivered.
    pub(crate) fn complete(self) {
        for set in self.0.lock().drain(..) {
            set.deliver(self.0.read);
        }
    }
}

impl DeliveredSets {
    /// Removes the expired series of a set that is read now.
    pub(super) fn start(&self, set: &Arc<dyn AnySet>) {
        if set.expire(self.read) {
            self.lock().push(Arc::clone(set));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<dyn AnySet>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("read", &self.0.read)
            .finish_non_exhaustive()
    }
}
