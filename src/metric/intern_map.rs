//! A map whose values are created once and found without a lock.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, PoisonError};

use crate::cell::{Hasher, IndexedList, Mutex};

/// An append-only map of values that are created once each, such as the metric handles of
/// one endpoint.
///
/// Callers must bound the number of keys.
pub(crate) struct InternMap<T> {
    hasher: Hasher,
    values: IndexedList<Arc<T>>,
    /// Held while a value is added.
    adding: Mutex<()>,
}

impl<T> InternMap<T> {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Hasher::default(),
            values: IndexedList::new(),
            adding: Mutex::new(()),
        }
    }

    #[inline]
    pub(crate) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Returns the first value with this hash for which `matches` returns true.
    #[inline]
    pub(crate) fn find(&self, hash: u64, matches: impl Fn(&T) -> bool) -> Option<&Arc<T>> {
        self.values.find(hash, |value| matches(value))
    }

    /// Returns the value that was added at an index.
    pub(crate) fn get(&self, index: usize) -> Option<&Arc<T>> {
        self.values.get(index)
    }

    /// Returns the first value with this hash for which `matches` returns true, or adds the
    /// one that `make` returns for its index.
    pub(crate) fn find_or_add(
        &self,
        hash: u64,
        matches: impl Fn(&T) -> bool,
        make: impl FnOnce(usize) -> T,
    ) -> &Arc<T> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        match self.values.find(hash, |value| matches(value)) {
            Some(value) => value,
            None => {
                let value = make(self.values.len());
                self.values.insert(hash, Arc::new(value))
            }
        }
    }

    /// Does what [`find_or_add`](Self::find_or_add) does, and returns `None` instead of adding a
    /// value if there are `max` already.
    #[cfg(feature = "metrics")]
    pub(crate) fn find_or_add_up_to(
        &self,
        max: usize,
        hash: u64,
        matches: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Option<&Arc<T>> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let existing = self.values.find(hash, |value| matches(value));
        if existing.is_some() || self.values.len() >= max {
            return existing;
        }
        Some(self.values.insert(hash, Arc::new(make())))
    }

    /// Returns all values in the order in which they were added.
    #[cfg(feature = "metrics")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.values.iter()
    }
}

impl<T> fmt::Debug for InternMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternMap")
            .field("len", &self.values.len())
            .finish_non_exhaustive()
    }
}
