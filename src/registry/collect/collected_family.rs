//! What was computed for one family.

use std::collections::HashSet;
use std::sync::Arc;

use crate::registry::collect::CollectedSeries;
use crate::registry::collector_families::DescribedFamily;
use crate::snapshot::{Labels, SeriesBlock, Values};

/// The series that a collector has computed for one family.
pub(crate) struct CollectedFamily {
    pub(crate) family: Arc<DescribedFamily>,
    pub(crate) blocks: Vec<SeriesBlock>,
    /// How many series and exemplars were refused.
    pub(crate) invalid: u64,
    seen: HashSet<Labels>,
}

impl CollectedFamily {
    pub(super) fn new(family: Arc<DescribedFamily>) -> Self {
        Self {
            family,
            blocks: Vec::new(),
            invalid: 0,
            seen: HashSet::new(),
        }
    }

    /// Adds a series; `push` appends its number and returns true, or returns false if it is not
    /// valid.
    ///
    /// The series goes into the last block if `fits` returns true for its values, and otherwise
    /// into a new block, with the values that `empty` returns.
    pub(super) fn add(
        &mut self,
        labels: Labels,
        created_millis: u64,
        fits: impl Fn(&Values) -> bool,
        empty: impl FnOnce() -> Option<Values>,
        push: impl FnOnce(&mut Values) -> bool,
    ) -> CollectedSeries<'_> {
        if self.seen.contains(&labels) {
            return self.refuse();
        }
        let has_space = |block: &SeriesBlock| block.labels.len() < SeriesBlock::MAX_SERIES;
        let last = self.blocks.last_mut();
        let is_valid = match last.filter(|last| has_space(last) && fits(&last.values)) {
            Some(last) => push(&mut last.values),
            None => self.add_block(empty, push),
        };
        if !is_valid {
            return self.refuse();
        }
        let Some(block) = self.blocks.last_mut() else {
            return CollectedSeries::refused();
        };
        block.labels.push(labels.view());
        block.created_millis.push(created_millis);
        self.seen.insert(labels);
        CollectedSeries::new(block, &mut self.invalid)
    }

    /// Adds a block with the values that `empty` returns and a number. Returns false if there is no
    /// valid number.
    fn add_block(
        &mut self,
        empty: impl FnOnce() -> Option<Values>,
        push: impl FnOnce(&mut Values) -> bool,
    ) -> bool {
        let Some(mut values) = empty() else {
            return false;
        };
        if !push(&mut values) {
            return false;
        }
        if self.blocks.is_empty() {
            // Most families need one block, and a slow scrape keeps it for long. By default a
            // vector would allocate space for four.
            self.blocks.reserve_exact(1);
        }
        let block = SeriesBlock::new(Arc::clone(self.family.desc()), values);
        self.blocks.push(block);
        true
    }

    /// Counts a series that is not valid.
    pub(super) fn refuse(&mut self) -> CollectedSeries<'_> {
        self.invalid += 1;
        CollectedSeries::refused()
    }
}
