//! Reading the series of a set.

use std::any::Any;
use std::sync::Arc;

use crate::cell::{self, IndexedList};
use crate::metric::handle::{Handle, MetricCell};
use crate::metric::instrument::Instrument;
use crate::metric::series::Shared;
use crate::metric::set::SeriesSet;
use crate::snapshot::SeriesBlock;

/// The position of a reader in the series of a set.
///
/// It keeps the list that it started with, so that a removal neither moves series that were not
/// read yet nor shows one twice.
#[derive(Default)]
pub(crate) struct SeriesCursor {
    /// The index of the next series.
    next: usize,
    /// The list that is read; `None` for the first list of the set.
    list: Option<Box<dyn Any + Send + Sync>>,
    is_started: bool,
    /// The index of the set, in a family that has several.
    #[cfg(feature = "metrics")]
    set: usize,
}

#[cfg(feature = "metrics")]
impl SeriesCursor {
    pub(crate) fn set(&self) -> usize {
        self.set
    }

    /// Moves to the start of the next set.
    pub(crate) fn next_set(&mut self) {
        *self = Self {
            set: self.set + 1,
            ..Self::default()
        };
    }
}

impl<M: Instrument> SeriesSet<M> {
    /// Calls `visit` with each visible series, without a lock.
    pub(crate) fn for_each_visible(&self, mut visit: impl FnMut(&M)) {
        self.settle_removed();
        self.for_each_in_list(&mut visit);
    }

    /// Calls `visit` with each visible series of the list.
    pub(super) fn for_each_in_list(&self, visit: impl FnMut(&M)) {
        let (first, current) = self.series.lists();
        let list = current.as_deref().unwrap_or(first);
        list.iter()
            .filter(|series| !series.handle().is_hidden())
            .for_each(visit);
    }

    /// Reads up to [`SeriesBlock::MAX_SERIES`] visible series with the same settings from
    /// `cursor` on, fewer if their labels are long, and moves it past them. Returns `None` at the
    /// end.
    pub(crate) fn block(&self, cursor: &mut SeriesCursor) -> Option<SeriesBlock> {
        if !cursor.is_started {
            cursor.is_started = true;
            self.settle_removed();
            let current = self.series.lists().1;
            cursor.list = current.map(|list| Box::new(list) as _);
        }
        let list = cursor.list.as_deref();
        let list = list.and_then(|list| list.downcast_ref::<cell::Arc<IndexedList<M>>>());
        let list = list.map(|list| &**list);
        let list = list.unwrap_or_else(|| self.series.lists().0);
        self.read_block(list, &mut cursor.next)
    }

    fn read_block(&self, list: &IndexedList<M>, next: &mut usize) -> Option<SeriesBlock> {
        let mut all = Vec::with_capacity(SeriesBlock::MAX_SERIES);
        let mut shared: Option<&Arc<Shared<_>>> = None;
        let mut label_bytes = 0;
        while all.len() < SeriesBlock::MAX_SERIES && label_bytes < SeriesBlock::MAX_LABEL_BYTES {
            let mut after = *next;
            let Some(series) = next_visible(list, &mut after) else {
                break;
            };
            let first_shared = *shared.get_or_insert(&series.series().shared);
            if !Arc::ptr_eq(&series.series().shared, first_shared) {
                break;
            }
            label_bytes += series.series().labels.as_str().len();
            all.push(series);
            *next = after;
        }
        let settings = &shared?.settings;
        // In a separate loop: the processor then fetches the memory of all series at the same
        // time, not of one after the other while they are read.
        for series in &all {
            series.prefetch();
        }
        let values = M::Cell::empty_values(settings, all.len());
        let desc = Arc::clone(self.info.desc());
        let mut block = SeriesBlock::with_capacity(desc, values, all.len(), label_bytes);
        for series in all {
            self.read(series, &mut block);
        }
        block.values.shrink();
        Some(block)
    }

    fn read(&self, handle: &Handle<M::Cell>, block: &mut SeriesBlock) {
        let series = handle.series();
        series.read_exemplars(block.labels.len(), &mut block.exemplars);
        let labels = if self.info.label_names().is_empty() {
            // A metric that existed before it was registered lacks the constant labels.
            self.info.constant_labels()
        } else {
            &series.labels
        };
        block.labels.push(labels.view());
        block.created_millis.push(series.state.created_millis());
        handle.read(&mut block.values);
    }
}

/// Returns the first visible series from index `next` on, and moves `next` past it.
fn next_visible<'l, M: Instrument>(
    list: &'l IndexedList<M>,
    next: &mut usize,
) -> Option<&'l Handle<M::Cell>> {
    let len = list.len();
    while *next < len {
        let series = list.get(*next).map(M::handle);
        *next += 1;
        if let Some(series) = series.filter(|series| !series.is_hidden()) {
            return Some(series);
        }
    }
    None
}
