//! Handles to series by the key that a macro passes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ::metrics::Key;

use crate::metric::{AsHandle, HandleCache, Instrument, ReadId, Series};

/// A series of an instrument.
pub(super) type SeriesOf<M> = Series<<M as AsHandle>::Cell>;

/// Threads contend for a lock only if their keys are in the same shard.
const SHARDS: usize = 16;

/// Handles to series by key.
///
/// It has none to series that replace others over a limit, so it is bounded by the number of
/// series.
pub(super) struct KeyCache<M: Instrument> {
    shards: [Shard<M>; SHARDS],
    /// The last read that removed series, if they may still be in the cache.
    removed_by: Mutex<Option<ReadId>>,
}

/// In cache lines of its own: each lookup writes to the lock.
#[repr(align(64))]
struct Shard<M: Instrument>(RwLock<Handles<M>>);

type Handles<M> = HashMap<Key, Arc<SeriesOf<M>>, BuildHasherDefault<KeyHasher>>;

impl<M: Instrument> KeyCache<M> {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard(RwLock::default())),
            removed_by: Mutex::default(),
        }
    }

    #[inline]
    pub(super) fn get(&self, key: &Key) -> Option<Arc<SeriesOf<M>>> {
        let shard = &self.shard(key).0;
        let handles = shard.read().unwrap_or_else(PoisonError::into_inner);
        handles.get(key).map(Arc::clone)
    }

    pub(super) fn insert(&self, key: &Key, series: Arc<SeriesOf<M>>) {
        let shard = &self.shard(key).0;
        // It may allocate, so it comes before the lock.
        let key = key.to_retained();
        let mut handles = shard.write().unwrap_or_else(PoisonError::into_inner);
        handles.insert(key, series);
    }

    #[inline]
    fn shard(&self, key: &Key) -> &Shard<M> {
        // The map uses the lowest and the highest bits.
        let index = (key.get_hash() >> 40) % SHARDS as u64;
        &self.shards[usize::try_from(index).unwrap_or(0)]
    }

    /// Drops the handles to series that were removed and not used since.
    fn drop_removed(&self) {
        for shard in &self.shards {
            let mut handles = shard.0.write().unwrap_or_else(PoisonError::into_inner);
            handles.retain(|_, series| !series.is_removed());
            let len = handles.len();
            handles.shrink_to(2 * len);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let lens = self
            .shards
            .iter()
            .map(|shard| shard.0.read().unwrap().len());
        lens.sum()
    }
}

impl<M: Instrument> HandleCache for KeyCache<M> {
    fn after_expiry(&self, read: ReadId, has_expired: bool) {
        // Once for all families that a read has: each sweep visits all handles.
        let is_due = {
            let removed_by = self.removed_by.lock();
            let mut removed_by = removed_by.unwrap_or_else(PoisonError::into_inner);
            let is_due = removed_by.is_some_and(|earlier| earlier < read);
            if is_due {
                *removed_by = None;
            }
            if has_expired {
                *removed_by = Some(read);
            }
            is_due
        };
        if is_due {
            self.drop_removed();
        }
    }
}

/// Returns the hash that a [`Key`] has computed already.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Is not called: a key writes its hash only.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
