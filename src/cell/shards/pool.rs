//! The pages of the process, and which of their words are free.
//!
//! One pool serves all registries: a page that only one family used would be mostly empty. The
//! pool is locked only when a slot is taken or given back. The record that makes a series busy takes
//! one.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use crate::cell::shards::page::{PAGE_WORDS, Page, Slot};
use crate::cell::sync::Mutex;

/// The number of pages at which series get no more slots: 16 MiB for each shard.
const MAX_PAGES: usize = if cfg!(tachometer_loom) { 1 } else { 4_096 };

/// Takes a slot of this many words, all 0. Returns `None` if all pages are in use.
pub(super) fn take(len: usize) -> Option<Slot> {
    let len = u32::try_from(len).ok()?;
    with_pool(|pool| pool.take(len))
}

/// Frees the words of a slot, all of which are 0.
pub(super) fn give_back(page: &Arc<Page>, words: Range<u32>) {
    with_pool(|pool| pool.give_back(page, words));
}

#[cfg(not(tachometer_loom))]
fn with_pool<T>(run: impl FnOnce(&mut Pool) -> T) -> T {
    static POOL: Mutex<Pool> = Mutex::new(Pool::new(MAX_PAGES));

    run(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(tachometer_loom)]
fn with_pool<T>(run: impl FnOnce(&mut Pool) -> T) -> T {
    loom::lazy_static! {
        static ref POOL: Mutex<Pool> = Mutex::new(Pool::new(MAX_PAGES));
    }

    run(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Pool {
    pages: Vec<PageUse>,
    max_pages: usize,
}

/// A page and the ranges of its words that no slot has.
struct PageUse {
    page: Arc<Page>,
    /// Sorted, and not adjacent to each other.
    free: Vec<Range<u32>>,
}

#[expect(clippy::cast_possible_truncation, reason = "a page has 512 words")]
const ALL_WORDS: Range<u32> = 0..PAGE_WORDS as u32;

impl Pool {
    const fn new(max_pages: usize) -> Self {
        Self {
            pages: Vec::new(),
            max_pages,
        }
    }

    fn take(&mut self, len: u32) -> Option<Slot> {
        // The newest page first: the others are usually full.
        let slot = self.pages.iter_mut().rev().find_map(|page| page.take(len));
        if slot.is_some() || len > ALL_WORDS.end || self.pages.len() == self.max_pages {
            return slot;
        }
        self.pages.push(PageUse {
            page: Arc::default(),
            free: vec![ALL_WORDS],
        });
        self.pages.last_mut()?.take(len)
    }

    /// Frees words, and the page if all of its words are free.
    fn give_back(&mut self, page: &Arc<Page>, words: Range<u32>) {
        let mut pages = self.pages.iter();
        let Some(index) = pages.position(|other| Arc::ptr_eq(&other.page, page)) else {
            return;
        };
        self.pages[index].give_back(words);
        if self.pages[index].free == [ALL_WORDS] {
            self.pages.remove(index);
        }
    }
}

impl PageUse {
    fn take(&mut self, len: u32) -> Option<Slot> {
        let mut free = self.free.iter();
        let index = free.position(|range| range.end - range.start >= len)?;
        let range = &mut self.free[index];
        let taken = range.start..range.start + len;
        range.start = taken.end;
        if range.start == range.end {
            self.free.remove(index);
        }
        Some(Slot::new(Arc::clone(&self.page), &taken))
    }

    fn give_back(&mut self, words: Range<u32>) {
        let index = self.free.partition_point(|range| range.start < words.start);
        self.free.insert(index, words);
        // Joins the range with the next one, then with the previous one.
        for first in [index, index.wrapping_sub(1)] {
            if let Some([range, next]) = self.free.get_mut(first..first.wrapping_add(2))
                && range.end == next.start
            {
                range.end = next.end;
                self.free.remove(first + 1);
            }
        }
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// Gives a slot back to this pool instead of that of the process.
    fn give_back(pool: &mut Pool, slot: Slot) {
        let (page, words) = slot.into_parts();
        pool.give_back(&page, words);
    }

    #[test]
    fn words_that_are_given_back_are_taken_again_in_any_order_of_sizes() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut pool = Pool::new(8);
        let mut slots = Vec::new();
        for _ in 0..20_000 {
            if random.bool() {
                slots.extend(pool.take(random.u32(1..=600)));
            } else if !slots.is_empty() {
                give_back(&mut pool, slots.swap_remove(random.usize(..slots.len())));
            }
            let free = pool.pages.iter().flat_map(|page| &page.free);
            let free: u32 = free.map(|range| range.end - range.start).sum();
            let used: usize = slots.iter().map(Slot::len).sum();
            assert_eq!(free as usize + used, pool.pages.len() * PAGE_WORDS);
        }
        for slot in slots {
            give_back(&mut pool, slot);
        }
        assert!(pool.pages.is_empty());
    }

    #[test]
    fn slots_do_not_overlap() {
        let mut pool = Pool::new(2);
        let slots: Vec<_> = std::iter::from_fn(|| pool.take(100)).collect();
        assert_eq!(slots.len(), 2 * (PAGE_WORDS / 100));
        for slot in &slots {
            assert!(slot.prepare().is_some());
            for word in slot.shards().flatten() {
                assert_eq!(word.swap(1, Ordering::Relaxed), 0);
            }
        }
        for slot in slots {
            give_back(&mut pool, slot);
        }
    }
}
