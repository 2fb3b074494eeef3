//! Cells that belong to one thread each.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use crate::cell::thread_number;

/// One cell for each of the first threads, by their numbers.
///
/// A thread that has a cell here is the only one that writes it, so it may load
/// and store where others must exchange. Those without one, because there are
/// more threads than shards, use the cell that all share.
#[derive(Debug)]
pub(crate) struct Sharded<T>(Box<[CacheAligned<T>]>);

/// On cache lines of its own: two, since processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct CacheAligned<T>(T);

impl<T> Sharded<T> {
    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        Self((0..*SHARDS).map(|_| CacheAligned(make())).collect())
    }

    /// Returns the calling thread's own cell, if it has one.
    #[inline]
    pub(crate) fn current(&self) -> Option<&T> {
        self.0.get(thread_number::current()).map(|shard| &shard.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|shard| &shard.0)
    }
}

/// How many threads get cells of their own: twice as many as run at a time, so
/// that a few more than a runtime's workers have one.
static SHARDS: LazyLock<usize> = LazyLock::new(|| {
    if cfg!(tachometer_loom) {
        return 2;
    }
    let cores = available_parallelism().map_or(4, usize::from);
    (2 * cores).max(4)
});
