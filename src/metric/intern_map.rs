//! What is made once for a key, and found again without a lock.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, PoisonError};

use crate::cell::{Catalog, Hasher, Mutex};

/// Things that are made once each, such as the handles that are used together, so
/// that one look finds all of them.
///
/// It only grows: whoever adds to it sees to it that there is an end.
pub(crate) struct InternMap<T> {
    hasher: Hasher,
    made: Catalog<Arc<T>>,
    /// Held while a thing is added.
    adding: Mutex<()>,
}

impl<T> InternMap<T> {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Hasher::default(),
            made: Catalog::new(),
            adding: Mutex::new(()),
        }
    }

    #[inline]
    pub(crate) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Returns the thing under a key's hash that `is` the key's.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<&T> {
        self.made.find(hash, |made| is(made)).map(|made| &**made)
    }

    /// Returns the thing at a position, in the order in which they were added.
    #[inline]
    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        self.made.get(position).map(|made| &**made)
    }

    /// Returns the thing under a key's hash that `is` the key's, and adds what
    /// `make` returns for its position where there is none.
    pub(crate) fn find_or_add(
        &self,
        hash: u64,
        is: impl Fn(&T) -> bool,
        make: impl FnOnce(usize) -> T,
    ) -> &T {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        match self.made.find(hash, |made| is(made)) {
            Some(found) => found,
            None => self.made.insert(hash, Arc::new(make(self.made.len()))),
        }
    }
}

impl<T> fmt::Debug for InternMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memo of {}", self.made.len())
    }
}
