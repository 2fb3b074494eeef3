//! The labels of a series, by their position in the role's order.

use std::borrow::Cow;

use crate::snapshot::SeriesBlock;

/// The label values of one series, without the registry's constant labels.
#[derive(Debug)]
pub(super) struct LabelValues<'a> {
    values: Vec<Cow<'a, str>>,
    /// How many of the values belong to constant labels. These come first.
    constant: usize,
}

impl<'a> LabelValues<'a> {
    /// Returns the label values of each series of a block, whose family has `family_labels`
    /// labels in addition to the constant ones.
    pub(super) fn from_block(
        block: &'a SeriesBlock,
        family_labels: usize,
    ) -> impl Iterator<Item = Self> {
        block.labels.iter().map(move |labels| {
            let values: Vec<_> = labels.pairs().map(|(_, value)| value).collect();
            Self {
                constant: values.len().saturating_sub(family_labels),
                values,
            }
        })
    }

    pub(super) fn get(&self, position: usize) -> Option<&str> {
        self.values
            .get(self.constant + position)
            .map(|value| &**value)
    }

    pub(super) fn last(&self) -> Option<&str> {
        self.values.last().map(|value| &**value)
    }
}
