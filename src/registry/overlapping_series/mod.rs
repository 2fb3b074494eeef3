//! The series of a family that several registries have.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::snapshot::{Desc, Labels, SeriesBlock};

/// The series of one family that were read already.
#[derive(Default)]
pub(super) struct SeenSeries(HashSet<Labels>);

impl SeenSeries {
    /// Takes those series out of a block that were there before, and calls `found` with the
    /// labels of each.
    pub(super) fn remove_seen(&mut self, block: &mut SeriesBlock, mut found: impl FnMut(&Labels)) {
        let keep: Vec<_> = block
            .labels
            .iter()
            .map(|labels| {
                let is_new = self.0.insert(labels.canonical());
                if !is_new {
                    found(labels);
                }
                is_new
            })
            .collect();
        block.retain(|series| keep[series]);
    }
}

/// Returns true for metrics that registries and routers have about themselves.
pub(super) fn is_self_metric(desc: &Desc) -> bool {
    desc.name().starts_with("tachometer_")
}

/// Adds up the series with the same labels. Those that cannot be added, since their buckets
/// differ, are left out, and `failed` is called with their labels.
pub(super) fn sum_series(
    blocks: Vec<SeriesBlock>,
    mut failed: impl FnMut(&Labels),
) -> Vec<SeriesBlock> {
    let mut sums: Vec<SeriesBlock> = Vec::new();
    // Where each label set is: the block, and the position in it.
    let mut places = HashMap::new();
    for mut block in blocks {
        let mut new = Vec::new();
        for (series, labels) in block.labels.iter().enumerate() {
            let canonical = labels.canonical();
            let Some(&(first, at)) = places.get(&canonical) else {
                places.insert(canonical, (sums.len(), new.len()));
                new.push(series);
                continue;
            };
            // No block has a label set twice, so that it is in one that was kept.
            let Some(sum) = sums.get_mut(first) else {
                failed(labels);
                continue;
            };
            if sum.values.add(at, &block.values, series) {
                sum.created_millis[at] = sum.created_millis[at].min(block.created_millis[series]);
            } else {
                failed(labels);
            }
        }
        block.retain(|series| new.binary_search(&series).is_ok());
        if !block.labels.is_empty() {
            sums.push(block);
        }
    }
    sums
}
