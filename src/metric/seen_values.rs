//! The values that a label has had.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::cell::{AtomicBool, Hasher, IndexedList, Ordering};

/// An append-only set of label values, which is read without a lock.
pub(crate) struct SeenValues {
    hasher: Hasher,
    values: IndexedList<Arc<SeenValue>>,
}

struct SeenValue {
    text: Box<str>,
    /// True if code declared the value. A declared value counts against no limit.
    is_declared: AtomicBool,
}

impl SeenValues {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Hasher::default(),
            values: IndexedList::new(),
        }
    }

    /// Returns whether a value was declared, or `None` if it is not in the set.
    pub(crate) fn is_declared(&self, value: &str) -> Option<bool> {
        // Relaxed: a declaration orders nothing else.
        let entry = self.find(value)?;
        Some(entry.is_declared.load(Ordering::Relaxed))
    }

    /// Adds a value, or declares one that is in the set already.
    ///
    /// Only one thread may call this at a time.
    pub(crate) fn add(&self, value: &str, is_declared: bool) {
        match self.find(value) {
            Some(entry) if is_declared => entry.is_declared.store(true, Ordering::Relaxed),
            Some(_) => {}
            None => {
                let new = SeenValue {
                    text: value.into(),
                    is_declared: AtomicBool::new(is_declared),
                };
                let hash = self.hasher.hash_one(value);
                self.values.insert(hash, Arc::new(new));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    fn find(&self, value: &str) -> Option<&Arc<SeenValue>> {
        let hash = self.hasher.hash_one(value);
        self.values.find(hash, |entry| *entry.text == *value)
    }
}
