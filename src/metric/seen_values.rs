//! The values that a label has.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cell::Hasher;

/// A set of label values, and how many series have each of them.
///
/// It is read only when a series is looked up that does not exist. Always the standard library's
/// lock, not loom's: no other lock is taken while it is held.
pub(crate) struct SeenValues(RwLock<ValueMap>);

type ValueMap = HashMap<Box<str>, SeenValue, Hasher>;

#[derive(Debug, Default)]
struct SeenValue {
    /// True if code declared the value. A declared value counts against no limit.
    is_declared: bool,
    /// True if the value was admitted from a share of the limit.
    is_from_share: bool,
    /// The series with this value.
    series: usize,
}

/// A value that no series has any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct UnusedValue {
    /// True if it was admitted from a share of the limit.
    pub(crate) is_from_share: bool,
}

impl SeenValues {
    pub(crate) fn new() -> Self {
        Self(RwLock::default())
    }

    /// Returns whether a value was declared, or `None` if it is not in the set.
    pub(crate) fn is_declared(&self, value: &str) -> Option<bool> {
        Some(self.read().get(value)?.is_declared)
    }

    /// Declares a value.
    pub(crate) fn declare(&self, value: &str) {
        self.write().entry(value.into()).or_default().is_declared = true;
    }

    /// Adds a value from a share of the limit, which no series has yet.
    #[cfg(feature = "llm")]
    pub(crate) fn add_from_share(&self, value: &str) {
        self.write().entry(value.into()).or_default().is_from_share = true;
    }

    /// Adds a series with this value.
    pub(crate) fn add_series(&self, value: &str) {
        self.write().entry(value.into()).or_default().series += 1;
    }

    /// Removes a series with this value, and the value if it was the last one and the value was
    /// not declared.
    pub(crate) fn remove_series(&self, value: &str) -> Option<UnusedValue> {
        let mut values = self.write();
        let entry = values.get_mut(value)?;
        entry.series = entry.series.saturating_sub(1);
        if entry.is_declared || entry.series > 0 {
            return None;
        }
        let entry = values.remove(value)?;
        Some(UnusedValue {
            is_from_share: entry.is_from_share,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> RwLockReadGuard<'_, ValueMap> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ValueMap> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
