//! Series that several registries have: duplicates are removed or added up.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::snapshot::{Desc, Labels, LabelsView, SeriesBlock};

/// The label sets of one family that were read already.
#[derive(Default)]
pub(super) struct SeenSeries(HashSet<Labels>);

impl SeenSeries {
    /// Removes the series of a block that were read before, and calls `on_duplicate` with the
    /// labels of each.
    pub(super) fn remove_seen(
        &mut self,
        block: &mut SeriesBlock,
        mut on_duplicate: impl FnMut(LabelsView<'_>),
    ) {
        let mut new = Vec::new();
        for (series, labels) in block.labels.iter().enumerate() {
            if self.0.insert(labels.canonical()) {
                new.push(series);
            } else {
                on_duplicate(labels);
            }
        }
        block.retain(&new);
    }
}

/// Returns true for metrics that registries and routers have about themselves.
pub(super) fn is_self_metric(desc: &Desc) -> bool {
    desc.name().starts_with("tachometer_")
}

/// Adds up series with the same labels. A series that cannot be added, since its buckets
/// differ, is left out, and `on_mismatch` is called with its labels.
pub(super) fn sum_series(
    blocks: Vec<SeriesBlock>,
    mut on_mismatch: impl FnMut(LabelsView<'_>),
) -> Vec<SeriesBlock> {
    let mut sums: Vec<SeriesBlock> = Vec::new();
    // The index of the block that has a label set, and of the series in it.
    let mut positions = HashMap::new();
    for mut block in blocks {
        let mut new = Vec::new();
        for (series, labels) in block.labels.iter().enumerate() {
            let canonical = labels.canonical();
            let Some(&(sum_block, sum_series)) = positions.get(&canonical) else {
                positions.insert(canonical, (sums.len(), new.len()));
                new.push(series);
                continue;
            };
            // No block has a label set twice, so the set is in a block in `sums`.
            let Some(sum) = sums.get_mut(sum_block) else {
                on_mismatch(labels);
                continue;
            };
            if sum.values.add(sum_series, &block.values, series) {
                let created = &mut sum.created_millis[sum_series];
                *created = block.created_millis[series].min(*created);
            } else {
                on_mismatch(labels);
            }
        }
        block.retain(&new);
        if !block.labels.is_empty() {
            sums.push(block);
        }
    }
    sums
}
