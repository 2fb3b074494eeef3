//! The values that a label has had.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::cell::{AtomicBool, Catalog, Hasher, Ordering};

/// A set of values that only grows, and is asked without a lock.
pub(crate) struct SeenValues {
    hasher: Hasher,
    values: Catalog<Arc<Value>>,
}

struct Value {
    text: Box<str>,
    /// Whether the value was announced, and so counts against no limit.
    declared: AtomicBool,
}

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Standing {
    /// It was announced.
    Declared,
    /// It came up.
    Seen,
    /// It is new.
    Unknown,
}

impl SeenValues {
    pub(crate) fn new() -> Self {
        Self {
            hasher: Hasher::default(),
            values: Catalog::new(),
        }
    }

    pub(crate) fn standing(&self, value: &str) -> Standing {
        // Relaxed: a declaration orders nothing else.
        match self.find(value).map(|v| v.declared.load(Ordering::Relaxed)) {
            Some(true) => Standing::Declared,
            Some(false) => Standing::Seen,
            None => Standing::Unknown,
        }
    }

    /// Adds a value, or declares one that came up before; the caller lets only one
    /// thread do this at a time.
    pub(crate) fn add(&self, value: &str, declared: bool) {
        match self.find(value) {
            Some(known) if declared => known.declared.store(true, Ordering::Relaxed),
            Some(_) => {}
            None => {
                let new = Value {
                    text: value.into(),
                    declared: AtomicBool::new(declared),
                };
                let hash = self.hasher.hash_one(value);
                self.values.insert(hash, Arc::new(new));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    fn find(&self, value: &str) -> Option<&Arc<Value>> {
        let hash = self.hasher.hash_one(value);
        self.values.find(hash, |known| *known.text == *value)
    }
}
