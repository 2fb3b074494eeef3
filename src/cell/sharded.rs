//! Shards that one thread each writes.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use crate::cell::thread_number;

/// One shard for each of the first threads, by thread number.
///
/// Only its thread writes a shard, so it can use plain loads and stores instead of
/// read-modify-writes. If there are more threads than shards, the other threads use a cell that
/// they share.
#[derive(Debug)]
pub(crate) struct Sharded<T>(Box<[CacheAligned<T>]>);

/// Aligned to two cache lines, since processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct CacheAligned<T>(T);

impl<T> Sharded<T> {
    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        Self((0..*SHARDS).map(|_| CacheAligned(make())).collect())
    }

    /// Returns the calling thread's shard, if it has one.
    #[inline]
    pub(crate) fn current(&self) -> Option<&T> {
        self.0.get(thread_number::current()).map(|shard| &shard.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|shard| &shard.0)
    }
}

/// The number of shards: twice the number of threads that can run at the same time, so that
/// more threads than a runtime's workers get one.
static SHARDS: LazyLock<usize> = LazyLock::new(|| {
    if cfg!(tachometer_loom) {
        return 2;
    }
    let parallelism = available_parallelism().map_or(4, usize::from);
    (2 * parallelism).max(4)
});
