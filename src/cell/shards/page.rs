//! Pages of words, and the slots in them.

use std::array;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::cell::shards::thread_number::{ShardIndex, lease};
use crate::cell::shards::{SHARDS, pool};
use crate::cell::sync::{AtomicU64, OnceLock, Ordering};

/// The number of words that a page has in each shard: 4 KiB.
pub(super) const PAGE_WORDS: usize = if cfg!(tachometer_loom) { 8 } else { 512 };

/// The same words in each shard. Those of a shard are allocated when one of its threads first
/// writes to the page.
#[derive(Default)]
pub(super) struct Page([OnceLock<Box<PageWords>>; SHARDS]);

type PageWords = [AtomicU64; PAGE_WORDS];

/// A range of words of a page, which one series uses.
pub(crate) struct Slot {
    page: Arc<Page>,
    start: u32,
    len: u32,
}

/// The words of a slot that the calling thread writes.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    page: &'a PageWords,
    start: u32,
    /// True if no other thread writes them.
    pub(crate) is_exclusive: bool,
}

impl Slot {
    /// The largest number of words of a slot.
    pub(crate) const MAX_LEN: usize = PAGE_WORDS;

    /// Takes a slot of this many words, all 0. Returns `None` if all pages are in use.
    pub(crate) fn take(len: usize) -> Option<Self> {
        pool::take(len)
    }

    pub(super) fn new(page: Arc<Page>, words: &Range<u32>) -> Self {
        Self {
            page,
            start: words.start,
            len: words.end - words.start,
        }
    }

    /// Returns the number of words.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns the words that the calling thread writes. Returns `None` if it has no shard or if
    /// the words are not allocated.
    #[inline]
    pub(crate) fn words(&self) -> Option<Words<'_>> {
        let shard = ShardIndex::current();
        Some(Words {
            page: self.page.0.get(shard.get())?.get()?,
            start: self.start,
            is_exclusive: shard.is_exclusive(),
        })
    }

    /// Does what [`words`](Self::words) does, but allocates them first, and leases a shard for the
    /// thread if it has none. Returns `None` if the thread is ending.
    pub(crate) fn prepare(&self) -> Option<Words<'_>> {
        lease();
        let words = self.page.0.get(ShardIndex::current().get())?;
        words.get_or_init(|| Box::new(array::from_fn(|_| AtomicU64::new(0))));
        self.words()
    }

    /// Returns the words of each shard that has been written.
    #[inline]
    pub(crate) fn shards(&self) -> impl Iterator<Item = &[AtomicU64]> {
        let words = self.start as usize..(self.start + self.len) as usize;
        let pages = self.page.0.iter().filter_map(OnceLock::get);
        pages.filter_map(move |page| page.get(words.clone()))
    }

    /// Returns the page and the words, without giving them back.
    #[cfg(all(test, not(tachometer_loom)))]
    pub(super) fn into_parts(self) -> (Arc<Page>, Range<u32>) {
        let page = Arc::clone(&self.page);
        let words = self.start..self.start + self.len;
        std::mem::forget(self);
        (page, words)
    }
}

impl<'a> Words<'a> {
    /// Returns the word at an index, which must be less than the length of the slot.
    #[inline]
    pub(crate) fn get(self, index: usize) -> &'a AtomicU64 {
        // A slot does not exceed its page. The remainder shows that to the compiler, which then
        // checks nothing.
        &self.page[(self.start as usize + index) % PAGE_WORDS]
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Relaxed: no thread can write the slot any more, and the lock of the pool orders these
        // stores before the writes of the next owner.
        for word in self.shards().flatten() {
            word.store(0, Ordering::Relaxed);
        }
        pool::give_back(&self.page, self.start..self.start + self.len);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
