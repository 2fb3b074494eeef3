//! The id of a stored response.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A hash of the id of a stored response, and of its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ResponseId(u64);

impl ResponseId {
    pub(crate) fn new(id: &str) -> Self {
        Self(hash(id))
    }

    /// Adds the provider, so that equal ids of two providers differ.
    pub(crate) fn with_provider(self, provider: &str) -> Self {
        Self(self.0 ^ hash(provider))
    }
}

/// Returns a hash of a text that is only compared and not kept.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
