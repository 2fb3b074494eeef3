//! How a scrape loses its place.

/// What can lose its place to another client.
pub(super) trait Evict: Send + Sync {
    /// Called when the place has gone to another client.
    fn evict(&self);
}
