//! A list that can be replaced by a shorter one while readers use it.

use crate::cell::indexed_list::IndexedList;
use crate::cell::sync::{Arc, ArcSwap, OnceLock, Weak};

/// An [`IndexedList`] that one writer can replace by another list, which frees the entries that
/// the new list does not have.
///
/// A reader of a list that can be freed needs a guard, which takes about as long as a lookup. So
/// the first list is never freed: until it is replaced, readers need no guard.
pub(crate) struct ReplaceableList<T> {
    /// The list until the first replacement. It is freed with `self`.
    first: IndexedList<T>,
    /// The current list, once the first one was replaced.
    replacement: OnceLock<ArcSwap<IndexedList<T>>>,
}

/// A list that was replaced, and that readers may still have.
pub(crate) struct EarlierList<T>(Weak<IndexedList<T>>);

impl<T> EarlierList<T> {
    /// Returns the list if a reader has it.
    pub(crate) fn get(&self) -> Option<Arc<IndexedList<T>>> {
        self.0.upgrade()
    }

    pub(crate) fn has_readers(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl<T: Clone> ReplaceableList<T> {
    pub(crate) fn new() -> Self {
        Self {
            first: IndexedList::new(),
            replacement: OnceLock::new(),
        }
    }

    /// Calls `read` with the current list. Its entries live at least until `read` returns.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&IndexedList<T>) -> R) -> R {
        match self.replacement.get() {
            None => read(&self.first),
            Some(replacement) => read(&replacement.load()),
        }
    }

    /// Returns the first list, unless it was replaced.
    #[inline]
    pub(crate) fn first(&self) -> Option<&IndexedList<T>> {
        match self.replacement.get() {
            None => Some(&self.first),
            Some(_) => None,
        }
    }

    /// Returns the first list, and the current one if that is another.
    pub(crate) fn lists(&self) -> (&IndexedList<T>, Option<Arc<IndexedList<T>>>) {
        let replacement = self.replacement.get();
        (&self.first, replacement.map(ArcSwap::load_full))
    }

    /// Returns true if entries that a replacement leaves out are freed.
    pub(crate) fn is_replaced(&self) -> bool {
        self.replacement.get().is_some()
    }

    /// Replaces the list, and returns the previous one unless that was the first.
    ///
    /// Only one thread may call this, or add entries, at a time.
    pub(crate) fn replace(&self, list: IndexedList<T>) -> Option<EarlierList<T>> {
        let list = Arc::new(list);
        match self.replacement.get() {
            Some(replacement) => {
                let earlier = replacement.swap(list);
                #[cfg(not(tachometer_loom))]
                let weak = Arc::downgrade(&earlier);
                #[cfg(tachometer_loom)]
                let weak = Weak::new(&earlier);
                Some(EarlierList(weak))
            }
            None => {
                self.replacement.get_or_init(|| ArcSwap::new(list));
                None
            }
        }
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_replaced_list_are_freed_and_those_of_the_first_are_not() {
        let list = ReplaceableList::new();
        let entries = [(); 3].map(|()| Arc::new(()));
        list.with(|list| list.insert(0, Arc::clone(&entries[0])).clone());
        assert!(list.replace(IndexedList::new()).is_none());
        assert_eq!(list.with(IndexedList::len), 0);
        assert!(Arc::strong_count(&entries[0]) > 1);

        list.with(|list| list.insert(0, Arc::clone(&entries[1])).clone());
        let reader = list.lists().1;
        let earlier = list.replace(IndexedList::new()).unwrap();
        assert!(Arc::strong_count(&entries[1]) > 1 && earlier.has_readers());
        drop(reader);
        assert_eq!(Arc::strong_count(&entries[1]), 1);
        assert!(earlier.get().is_none());
    }
}
