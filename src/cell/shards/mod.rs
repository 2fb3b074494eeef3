//! Memory for series that many threads write at the same time.
//!
//! A thread has a *shard*, one of 16. Up to eight threads at a time have one alone and write it
//! with plain loads and stores. All other threads share the other eight and write them with
//! read-modify-writes. So the memory of a series does not grow with the number of threads or of
//! processors, and a machine with few threads pays for no read-modify-write.
//!
//! A series that is written often takes a [`Slot`]: a range of words of a *page*. The page has
//! these words once for each shard. It allocates the words of a shard when a thread of that
//! shard first writes to the page. All words of one shard are next to each other, whichever
//! series they belong to, so they need no padding against false sharing.
//!
//! A slot is given back when its series is dropped. Nobody can write then. Its words are set to
//! 0 first, so the next series never sees the numbers of the previous one.

mod page;
mod pool;
mod thread_number;

pub(crate) use page::{Slot, Words};
#[cfg(all(test, tachometer_loom))]
pub(crate) use thread_number::{Numbers, set_current};

/// The number of shards that one thread each writes.
const EXCLUSIVE: usize = if cfg!(tachometer_loom) { 2 } else { 8 };
/// The number of shards that all other threads share.
const SHARED: usize = if cfg!(tachometer_loom) { 1 } else { 8 };
/// The number of all shards.
const SHARDS: usize = EXCLUSIVE + SHARED;
